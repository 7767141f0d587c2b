/**
 * Child processes compared, on one Redis, in one run: `node bench/prefork.ts [rounds] [jobs] [children]`.
 *
 * tq's pool `prefork`, BullMQ's sandboxed processor, tq's pool `async` in one process, and Celery's prefork where
 * /usr/bin/python3 has Celery and redis-py. All run a task that does nothing and keep no result. Jobs are sent first;
 * then the worker starts, and from the first job on it is measured how fast the queue empties.
 */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { createApp } from '../src/index.ts';
import { startRedis } from './redis-server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const JOBS = Number(process.argv[3] ?? 8000);
const CHILDREN = Number(process.argv[4] ?? 2);
const FOLDER = fileURLToPath(new URL('./prefork/', import.meta.url));
const PYTHON = '/usr/bin/python3';
const MAIL = { to: 'someone@example.com', subject: 'hello', id: 12_345 };

interface Contender {
  readonly name: string;
  fill(queue: string): Promise<void>;
  /** Starts a worker; gives what stops it. */
  start(queue: string): Promise<() => Promise<unknown>>;
  /** Jobs that have not ended. */
  left(queue: string): Promise<number>;
}

const server = await startRedis();
const connection = { host: server.host, port: server.port };
const redis = new Redis(connection);

const leftInBullmq = async (queue: string): Promise<number> =>
  (await redis.llen(`bull:${queue}:wait`)) + (await redis.llen(`bull:${queue}:active`));

const fillBullmq = async (name: string, data: unknown, options: object = {}): Promise<void> => {
  const queue = new Queue(name, { connection });
  for (let sent = 0; sent < JOBS; sent += 1000) {
    const jobs = Array.from({ length: Math.min(1000, JOBS - sent) }, () => ({
      name: 'noop',
      data,
      opts: { jobId: crypto.randomUUID(), ...options },
    }));
    await queue.addBulk(jobs);
  }
  await queue.close();
};

function createTq(pool: 'prefork' | 'async', level: 'warn' | 'info'): Contender {
  return {
    name: `tq ${pool}${level === 'info' ? ', info' : ''}`,
    fill: (queue) => fillBullmq(queue, { args: [MAIL], meta: {} }),
    async start(queue) {
      const app = createApp({ broker: server.url, builtins: false }, { env: {} });
      app.task('noop', { ignoreResult: true }, async () => {});
      const logger = createLogger({ level, destination: '/dev/null' });
      const worker = await app.createWorker({
        queues: [queue],
        concurrency: CHILDREN,
        logger: logger.log,
        ...(pool === 'prefork' && { pool, module: new URL('./prefork/app.ts', import.meta.url) }),
      });
      await worker.start();
      return async () => {
        await worker.stop();
        await app.close();
        await logger.close();
      };
    },
    left: leftInBullmq,
  };
}

const sandbox: Contender = {
  name: 'BullMQ sandbox',
  fill: (queue) => fillBullmq(queue, { args: [MAIL], meta: {} }),
  async start(queue) {
    const file = new URL('./prefork/processor.ts', import.meta.url);
    const worker = new Worker(queue, file, { connection, concurrency: CHILDREN, removeOnComplete: { count: 0 } });
    await worker.waitUntilReady();
    return () => worker.close();
  },
  left: leftInBullmq,
};

const celery: Contender = {
  name: 'Celery prefork',
  async fill() {
    await promisify(execFile)(PYTHON, ['fill.py', String(JOBS)], pythonOptions());
  },
  async start() {
    const args = ['-m', 'celery', '-A', 'noop', 'worker', '-P', 'prefork', '-c', String(CHILDREN), '-l', 'WARNING'];
    const worker = spawn(PYTHON, args, { ...pythonOptions(), stdio: 'ignore' });
    return () =>
      new Promise((resolve) => {
        worker.once('exit', resolve);
        worker.kill('SIGTERM');
      });
  },
  left: async () => (await redis.llen('celery')) + (await redis.hlen('unacked')),
};

function pythonOptions() {
  return { cwd: FOLDER, env: { ...process.env, BENCH_REDIS_URL: `${server.url}/0`, PYTHONDONTWRITEBYTECODE: '1' } };
}

async function hasCelery(): Promise<boolean> {
  return promisify(execFile)(PYTHON, ['-c', 'import celery, redis']).then(
    () => true,
    () => false,
  );
}

async function run(contender: Contender): Promise<number> {
  await redis.flushall();
  const queue = `bench-${crypto.randomUUID()}`;
  await contender.fill(queue);
  const stop = await contender.start(queue);
  const rate = await measureEmptying(() => contender.left(queue));
  await stop();
  return rate;
}

/** Jobs a second, from the first look that sees jobs gone to the first that sees none left. */
async function measureEmptying(left: () => Promise<number>): Promise<number> {
  let first: { readonly at: number; readonly left: number } | undefined;
  for (;;) {
    const now = await left();
    const at = performance.now();
    if (first === undefined && now < JOBS) first = { at, left: now };
    if (now === 0 && first !== undefined) return (first.left / (at - first.at)) * 1000;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const base = createTq('prefork', 'warn');
const contenders = [
  base,
  createTq('prefork', 'info'),
  createTq('async', 'warn'),
  sandbox,
  ...((await hasCelery()) ? [celery] : []),
];
const rates = new Map(contenders.map(({ name }) => [name, [] as number[]]));
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
    const rate = await run(contender);
    // The first round warms all up.
    if (round > 0) rates.get(contender.name)?.push(rate);
  }
}
const own = rates.get(base.name) ?? [];
for (const [name, values] of rates) {
  const ratio = median(own.map((rate, round) => rate / (values[round] ?? Number.NaN)));
  const line = [
    name.padEnd(20),
    `${Math.round(median(values))}/s`.padEnd(12),
    `best ${Math.round(Math.max(...values))}/s`.padEnd(16),
    name === base.name ? '' : `tq prefork is ${ratio.toFixed(2)} x as fast`,
  ];
  process.stdout.write(`${line.join('')}\n`);
}
redis.disconnect();
await server.stop();

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
