/**
 * How soon a lost job runs again: `node bench/recovery.ts`, on Redis and on SQLite.
 *
 * - a child process that dies: from the end of its process to the next start of the job;
 * - a worker that is killed: to the first and to the last start of its ten jobs elsewhere, with lock durations of 5 s and 30 s.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { context, createApp } from '../src/index.ts';
import { startRedis } from './redis-server.ts';

const HELD = 10;
const [url, lockDuration, journal = process.env['BENCH_JOURNAL'] ?? ''] = process.argv.slice(2);

/** Children load this file too: their task is the one that dies. */
export const app = createApp({ builtins: false, broker: url ?? 'redis://unset' }, { env: {} });
const note = (word: string): void => appendFileSync(journal, `${word} ${Date.now()}\n`);

app.task('die', async () => {
  note('start');
  if (readFileSync(journal, 'utf8').includes('death')) return;
  note('death');
  process.exit(1);
});

app.task('hold', async () => {
  note(context().worker);
  await wait(600_000, undefined, { signal: context().signal });
});

if (process.send === undefined && url === undefined) await main();
else if (lockDuration !== undefined && url !== undefined) await startHolder();

/** Jobs that one measurement leaves behind must not be taken for those of the next. */
function queueOf(lock: string): string {
  return `recovery-${lock}`;
}

async function startHolder(): Promise<void> {
  const { log } = createLogger({ level: 'error', destination: 2 });
  const worker = await app.createWorker({
    queues: [queueOf(lockDuration as string)],
    concurrency: HELD,
    lockDuration: lockDuration as '5s',
    name: `holder-${process.pid}`,
    logger: log,
  });
  await worker.start();
  process.send?.('ready');
}

async function main(): Promise<void> {
  const server = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
  try {
    for (const broker of [server.url, `sqlite:${join(folder, 'tq.db')}`]) {
      const kind = broker.split(':')[0] as string;
      await measureChild(kind, broker, join(folder, `${kind}-child`));
      for (const lock of ['5s', '30s']) await measureWorker(kind, broker, { lock, file: join(folder, kind + lock) });
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureChild(kind: string, broker: string, file: string): Promise<void> {
  process.env['BENCH_JOURNAL'] = file;
  const own = createApp({ builtins: false, broker }, { env: {} });
  own.task('die', async () => {});
  const { log, close } = createLogger({ level: 'error', destination: 2 });
  const worker = await own.createWorker({
    queues: ['child'],
    pool: 'prefork',
    module: import.meta.url,
    concurrency: 2,
    logger: log,
  });
  await worker.start();
  const result = await own.send('die', [], { queue: 'child' });
  await result.get({ timeout: '30s' });
  const [, death, again] = readLines(file).map(({ at }) => at);
  print(`${kind}, child dies`, `${(again ?? Number.NaN) - (death ?? Number.NaN)} ms`);
  await worker.stop();
  await own.close();
  await close();
}

async function measureWorker(
  kind: string,
  broker: string,
  { lock, file }: { lock: string; file: string },
): Promise<void> {
  const start = async () => {
    const child = fork(fileURLToPath(import.meta.url), [broker, lock, file]);
    await once(child, 'message');
    return child;
  };
  const doomed = await start();
  const own = createApp({ builtins: false, broker }, { env: {} });
  await own.sendBulk(
    'hold',
    Array.from({ length: HELD }, () => []),
    { queue: queueOf(lock) },
  );
  await untilLines(file, HELD);
  const successor = await start();
  // It has looked for lost jobs once, as a worker that has run for a while has.
  await wait(500);
  const killedAt = Date.now();
  doomed.kill('SIGKILL');
  await untilLines(file, 2 * HELD);
  const starts = readLines(file)
    .slice(HELD)
    .map(({ at }) => at - killedAt);
  print(`${kind}, worker killed, lock ${lock}`, `first ${starts[0]} ms, last ${starts.at(-1)} ms`);
  successor.kill('SIGKILL');
  await once(successor, 'exit');
  await own.close();
}

function readLines(file: string): { readonly word: string; readonly at: number }[] {
  const text = readFileSync(file, { encoding: 'utf8', flag: 'a+' });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ word: line.split(' ')[0] ?? '', at: Number(line.split(' ')[1]) }));
}

async function untilLines(file: string, count: number): Promise<void> {
  while (readLines(file).length < count) await wait(20);
}

function print(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(36)}${value}\n`);
}
