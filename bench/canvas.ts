/**
 * Workflows: `node bench/canvas.ts [rounds] [members]`.
 *
 * A chord of no-op members from its call to the value of its body, beside Celery's on the same Redis where /usr/bin/python3 has Celery and
 * redis-py; and what a step of a chain costs beside a plain job. Each side's worker has a process
 * of its own, Celery's with its prefork pool and two children; tq's also shares that of the caller once.
 */
import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { chain, chord, createApp } from '../src/index.ts';
import { app as chords, noop, total } from './canvas/app.ts';
import { median } from './compare.ts';
import { startRedis } from './redis-server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const MEMBERS = Number(process.argv[3] ?? 1000);
const STEPS = 2000;
const PYTHON = '/usr/bin/python3';
const FOLDER = fileURLToPath(new URL('./canvas/', import.meta.url));

const server = await startRedis();
chords.useBroker(server.url);
const logger = createLogger({ level: 'warn', destination: 2 });

/** The worker has a process of its own, as Celery's. */
async function timeApart(pool: 'prefork' | 'async', concurrency: number): Promise<number[]> {
  const worker = fork(new URL('./canvas/worker.ts', import.meta.url), [server.url, pool, String(concurrency)]);
  await once(worker, 'message');
  const seconds = await timeChords();
  worker.send('stop');
  await once(worker, 'exit');
  return seconds;
}

/** The worker is in the process that sends and waits. */
async function timeTogether(concurrency: number): Promise<number[]> {
  const worker = await chords.createWorker({ concurrency, logger: logger.log });
  await worker.start();
  const seconds = await timeChords();
  await worker.stop();
  return seconds;
}

async function timeChords(): Promise<number[]> {
  const header = Array.from({ length: MEMBERS }, (_, index) => noop.s(index));
  const seconds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const began = performance.now();
    const sent = await chord(header, total.s()).delay();
    const given = await sent.get({ timeout: '5m' });
    if (given !== MEMBERS) throw new Error(`the body was given ${given} values`);
    if (round > 0) seconds.push((performance.now() - began) / 1000);
  }
  return seconds;
}

async function timeCeleryChords(): Promise<number[] | undefined> {
  const run = promisify(execFile);
  const found = await run(PYTHON, ['-c', 'import celery, redis']).then(
    () => true,
    () => false,
  );
  if (!found) return undefined;
  const options = {
    cwd: FOLDER,
    env: { ...process.env, BENCH_REDIS_URL: `${server.url}/1`, PYTHONDONTWRITEBYTECODE: '1' },
  };
  const args = ['-m', 'celery', '-A', 'tasks', 'worker', '-P', 'prefork', '-c', '2', '-l', 'WARNING'];
  const worker = spawn(PYTHON, args, { ...options, stdio: 'ignore' });
  const { stdout } = await run(PYTHON, ['chords.py', String(MEMBERS), String(ROUNDS)], options);
  await new Promise((resolve) => {
    worker.once('exit', resolve);
    worker.kill('SIGTERM');
  });
  return stdout.trim().split('\n').map(Number);
}

/** Chains of no-op steps at once, and as many plain jobs, each sent and run: seconds a job. */
async function timeSteps(): Promise<{ plain: number; step: number }> {
  const app = createApp({ broker: server.url, builtins: false, defaultQueue: 'steps' }, { env: {} });
  const same = app.task('same', async (value: number) => value);
  const worker = await app.createWorker({ queues: ['steps'], concurrency: 10, logger: logger.log });
  await worker.start();
  const [length, chains] = [20, STEPS / 20];
  const time = async (act: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await act();
    return (performance.now() - began) / STEPS;
  };
  const plain = await time(async () => {
    const sent: { get(): Promise<unknown> }[] = [];
    for (let at = 0; at < STEPS; at += 1) sent.push(await same.delay(at));
    await Promise.all(sent.map((one) => one.get()));
  });
  const step = await time(async () => {
    const sent = await Promise.all(
      Array.from({ length: chains }, () =>
        (chain as (...steps: unknown[]) => { delay(): Promise<{ get(): Promise<unknown> }> })(
          same.s(0),
          ...Array.from({ length: length - 1 }, () => same.s()),
        ).delay(),
      ),
    );
    await Promise.all(sent.map((one) => one.get()));
  });
  await worker.stop();
  await app.close();
  return { plain, step };
}

const write = (line: string): boolean => process.stdout.write(`${line}\n`);
const celery = await timeCeleryChords();
const own = [
  ['tq prefork, 2 children', await timeApart('prefork', 2)],
  ['tq async, 2 slots', await timeApart('async', 2)],
  ['tq async, 50 slots', await timeApart('async', 50)],
  ['tq async, 50 slots, one process', await timeTogether(50)],
] as const;
for (const [name, seconds] of own) {
  const ratio =
    celery === undefined ? '' : `Celery's time is ${(median(celery) / median([...seconds])).toFixed(1)} x that`;
  write(`${`chord of ${MEMBERS}, ${name}`.padEnd(44)}${median([...seconds]).toFixed(3)} s   ${ratio}`);
}
if (celery !== undefined) write(`${`chord of ${MEMBERS}, Celery prefork, 2`.padEnd(44)}${median(celery).toFixed(3)} s`);
const rounds: { plain: number; step: number }[] = [];
for (let round = 0; round <= ROUNDS; round += 1) {
  const figures = await timeSteps();
  if (round > 0) rounds.push(figures);
}
const ratio = median(rounds.map(({ plain, step }) => step / plain));
write(
  `step of a chain ${median(rounds.map(({ step }) => step)).toFixed(3)} ms, plain job ${median(rounds.map(({ plain }) => plain)).toFixed(3)} ms, ratio ${ratio.toFixed(2)} (target 1.5 at most)`,
);
await chords.close();
await logger.close();
await server.stop();
