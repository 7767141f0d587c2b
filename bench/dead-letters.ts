/**
 * Looking at very many dead letters: `node bench/dead-letters.ts [dead letters] [redis|sqlite]`, after `npm run build`. Makes jobs with
 * 500 bytes of data that died after three attempts, of four kinds of error with stacks of ten frames, then runs `tq dlq stats` and
 * `tq dlq list` in a process of their own, from start to end, and reads the most memory that they took.
 *
 * Of Redis, the longest single command is that of its slow log.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { openBroker } from '../src/engine/broker/open-broker.ts';
import { formatAttemptLine } from '../src/engine/core/attempt-line.ts';
import { createJobId } from '../src/engine/core/job-id.ts';
import type { JobRecord } from '../src/engine/core/job-record.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { startRedis } from './redis-server.ts';

const DEAD = Number(process.argv[2] ?? 100_000);
const ONLY = process.argv[3];
const BATCH = 1000;
const BYTES = 500;
const ATTEMPTS = 3;
const LOOK_MS = 20;
const tq = fileURLToPath(new URL('../bin/tq', import.meta.url));

const FRAMES = [
  ...[1, 2, 3, 4].map(
    (at) => `    at read${at} (/srv/app/node_modules/mailer/lib/transport/connection-${at}.js:${at}21:17)`,
  ),
  ...['send', 'sendAll', 'deliver', 'run'].map(
    (name, at) => `    at async ${name} (file:///srv/app/src/mail/${name}.ts:${at}4:11)`,
  ),
  '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
  '    at async Promise.all (index 0)',
].join('\n');

const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
try {
  if (ONLY !== 'sqlite') {
    const server = await startRedis();
    const redis = new Redis({ host: server.host, port: server.port });
    await redis.config('SET', 'slowlog-log-slower-than', 1000);
    await redis.config('SET', 'slowlog-max-len', 100_000);
    await measure('redis', server.url, redis);
    redis.disconnect();
    await server.stop();
  }
  if (ONLY !== 'redis') await measure('sqlite', `sqlite:${join(folder, 'tq.db')}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(name: string, url: string, redis?: Redis): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const queue = broker.queue('mail');
  await queue.add({ id: 'waits', task: 'mail.send', args: [], meta: {}, createdAt: Date.now() });
  for (let made = 0; made < DEAD; made += BATCH) {
    await queue.bulk.restore(Array.from({ length: BATCH }, (_, index) => createDead(made + index)));
  }
  await broker.close();
  for (const argv of [
    ['dlq', 'stats'],
    ['dlq', 'stats', '--where', 'error~timeout'],
    ['dlq', 'stats', '--where', 'args.0.number>10'],
    ['dlq', 'list'],
  ]) {
    await redis?.slowlog('RESET');
    const { seconds, cpu, mib, rows } = await run([...argv, '--broker', url, '--json']);
    const command = redis === undefined ? '' : `, longest command ${(await longest(redis)).toFixed(1)} ms`;
    const text = `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of its own processor, rss ${mib} MiB at most${command}, ${rows} rows\n`;
    process.stdout.write(`${`${name}, tq ${argv.join(' ')}`.padEnd(48)}${text}`);
  }
}

async function run(argv: readonly string[]): Promise<{ seconds: number; cpu: number; mib: number; rows: number }> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [tq, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  let kib = 0;
  let cpu = 0;
  const look = setInterval(() => {
    kib = readPeak(child.pid) ?? kib;
    cpu = readProcessor(child.pid) ?? cpu;
  }, LOOK_MS);
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(look);
  if (code !== 0) throw new Error(`tq ${argv.join(' ')} ended with ${code}`);
  const rows = (JSON.parse(text) as unknown[]).length;
  return { seconds: (performance.now() - startedAt) / 1000, cpu, mib: Math.round(kib / 1024), rows };
}

/** In seconds, of a clock of 100 ticks; undefined once it has ended. */
function readProcessor(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/** In KiB; undefined once it has ended. */
function readPeak(pid: number | undefined): number | undefined {
  try {
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : Number(peak);
  } catch {
    return undefined;
  }
}

async function longest(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 100_000)) as [id: number, at: number, micros: number][];
  return Math.max(0, ...entries.map(([, , micros]) => micros)) / 1000;
}

/** Four kinds; a bad address fails half as often as the others. */
function createDead(number: number): JobRecord {
  const now = Date.now();
  const kinds = [
    ['TimeoutError', `no answer from smtp-${number % 97}.example.com: timeout after ${1000 + (number % 500)} ms`],
    ['TypeError', `Cannot read properties of undefined (reading 'locale')`],
    ['Error', `connect ECONNREFUSED 10.0.${number % 7}.${number % 251}:25`],
    ['BadAddress', `"user-${number}@nowhere" is no address`],
  ] as const;
  const [name, message] = kinds[number % 7 === 0 ? 3 : number % 3] as (typeof kinds)[number];
  const stacks = Array.from({ length: ATTEMPTS }, (_, index) => {
    const mark = { number: index + 1, startedAt: now, endedAt: now + 5, worker: 'tq@host' };
    return formatAttemptLine(`${name}: ${message}\n${FRAMES}`, {
      ...mark,
      end: index + 1 === ATTEMPTS ? 'dead' : 'retry',
    });
  });
  return {
    ...{ id: createJobId(now), task: 'mail.send', queue: 'mail', place: 'dead', options: {}, priority: 0 },
    data: JSON.stringify({ args: [{ number, text: 'x'.repeat(BYTES - 60) }], meta: {} }),
    ...{ createdAt: now, delayMs: 0, dueAt: null, attemptsMade: ATTEMPTS, attemptsStarted: ATTEMPTS, workersLost: 0 },
    ...{
      startedAt: now,
      finishedAt: now + 5,
      worker: 'tq@host',
      failure: message,
      stacks,
      result: null,
      progress: null,
    },
    ...{ deferredFailure: null, unique: null, schedulerId: null, parent: null, children: [], log: [] },
  };
}
