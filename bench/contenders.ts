import { Queue, Worker } from 'bullmq';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { createApp } from '../src/index.ts';
import { createSqliteBackend } from '../src/sqlite.ts';
import type { BenchServer } from './redis-server.ts';

/** What each contender can do; every call works on a queue of its own. */
export interface Contender {
  readonly name: string;
  /** Sends `count` no-op jobs, one awaited after the other; gives jobs per second. */
  enqueueOneByOne(queue: string, count: number): Promise<number>;
  /** Sends `count` no-op jobs in batches of a thousand. */
  enqueueInBulk(queue: string, count: number): Promise<number>;
  /** Runs the `count` jobs that the queue holds; measured over the last two thirds of them. */
  process(queue: string, count: number, concurrency: number): Promise<number>;
}

const BATCH = 1000;
const DAY_SECONDS = 86_400;
const ARGS = [{ to: 'someone@example.com', subject: 'hello', id: 12_345 }];

export function createBareBullmq({ host, port }: BenchServer): Contender {
  return createBullmq('BullMQ', { host, port });
}

/** Plain BullMQ over the SQLite backend, without anything else of tq. */
export function createBullmqOnSqlite(path: string): Contender {
  return createBullmq('BullMQ on SQLite', { path }, createSqliteBackend);
}

function createBullmq(name: string, connection: object, factory?: typeof createSqliteBackend): Contender {
  return {
    name,
    async enqueueOneByOne(queue, count) {
      const producer = new Queue(queue, { connection } as never, factory as never) as Queue;
      await producer.waitUntilReady();
      const perSecond = await measure(count, async () => {
        for (let index = 0; index < count; index += 1) await producer.add('noop', { args: ARGS, meta: {} });
      });
      await producer.close();
      return perSecond;
    },
    async enqueueInBulk(queue, count) {
      const producer = new Queue(queue, { connection } as never, factory as never) as Queue;
      await producer.waitUntilReady();
      const perSecond = await measure(count, async () => {
        for (let sent = 0; sent < count; sent += BATCH) {
          const jobs = Array.from({ length: Math.min(BATCH, count - sent) }, () => ({
            name: 'noop',
            data: { args: ARGS, meta: {} },
          }));
          await producer.addBulk(jobs);
        }
      });
      await producer.close();
      return perSecond;
    },
    async process(queue, count, concurrency) {
      const race = createRace(count);
      const options = { connection, concurrency, removeOnComplete: { age: DAY_SECONDS } };
      const worker = new Worker(queue, async () => race.step(), options as never, factory as never);
      const perSecond = await race.finished;
      await worker.close();
      return perSecond;
    },
  };
}

/** @param log where the worker's lines go: nowhere at `warn`, to a file at `info` */
export function createTq(
  { url }: Pick<BenchServer, 'url'>,
  log: { level: 'warn' } | { level: 'info'; file: string },
): Contender {
  const withApp = async <Result>(run: (app: ReturnType<typeof createApp>) => Promise<Result>): Promise<Result> => {
    const app = createApp({ broker: url, builtins: false }, { env: {} });
    try {
      return await run(app);
    } finally {
      await app.close();
    }
  };
  return {
    name: log.level === 'warn' ? 'tq' : 'tq, info to a file',
    enqueueOneByOne: (queue, count) =>
      withApp(async (app) => {
        const noop = app.task('noop', { queue }, async (_mail: (typeof ARGS)[0]) => {});
        await app.broker();
        return measure(count, async () => {
          for (let index = 0; index < count; index += 1) await noop.delay(ARGS[0] as (typeof ARGS)[0]);
        });
      }),
    enqueueInBulk: (queue, count) =>
      withApp(async (app) => {
        const noop = app.task('noop', { queue }, async (_mail: (typeof ARGS)[0]) => {});
        await app.broker();
        return measure(count, async () => {
          for (let sent = 0; sent < count; sent += BATCH) {
            const calls = Array.from({ length: Math.min(BATCH, count - sent) }, () => ARGS as [(typeof ARGS)[0]]);
            await noop.bulk(calls);
          }
        });
      }),
    process: (queue, count, concurrency) =>
      withApp(async (app) => {
        const race = createRace(count);
        app.task('noop', { queue }, async () => race.step());
        const destination = log.level === 'info' ? log.file : 2;
        const logger = createLogger({ level: log.level, destination });
        const worker = await app.createWorker({ queues: [queue], concurrency, logger: logger.log });
        await worker.start();
        const perSecond = await race.finished;
        await worker.stop();
        await logger.close();
        return perSecond;
      }),
  };
}

async function measure(count: number, run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return (count / (performance.now() - startedAt)) * 1000;
}

/** What a worker opens beside its jobs when it starts (the control bus, the watchdog's thread) is not what a job costs. */
const WARM_UP = 1 / 3;

function createRace(count: number): { step(): void; finished: Promise<number> } {
  const from = Math.floor(count * WARM_UP);
  const { promise, resolve } = Promise.withResolvers<number>();
  let done = 0;
  let startedAt = 0;
  return {
    step() {
      if (done === from) startedAt = performance.now();
      done += 1;
      if (done === count) resolve(((count - from) / (performance.now() - startedAt)) * 1000);
    },
    finished: promise,
  };
}
