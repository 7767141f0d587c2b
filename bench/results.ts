/**
 * What a result store costs a worker: `node bench/results.ts [rounds] [jobs]`. The same jobs on one Redis, async pool, concurrency 50,
 * with their results in the broker alone, and in PostgreSQL or SQLite too, in turn. Tasks that do nothing show what a row costs;
 * tasks that wait 5 ms show it beside a little of the work that a queue is for.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { openResultStore } from '../src/engine/broker/result-store/open-result-store.ts';
import { createLogger } from '../src/engine/runtime/logger.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { createApp } from '../src/index.ts';
import { createPostgresDatabase } from '../test/support/postgres-database.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { createFolderOfRun } from '../test/support/run-folder.ts';
import { startRedis } from './redis-server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const JOBS = Number(process.argv[3] ?? 30_000);
const CONCURRENCY = 50;
const BATCH = 1000;
/** What a worker opens beside its jobs when it starts is not what a job costs. */
const WARM_UP = 1 / 3;
const ARGS: [{ to: string; subject: string; id: number }] = [
  { to: 'someone@example.com', subject: 'hello', id: 12_345 },
];

interface Figures {
  readonly perSecond: number;
  /** Of this process, which is the worker alone. */
  readonly cpuMicros: number;
}

const redis = await startRedis();
const postgres = await startPostgres();

async function run(results: string | undefined, waitMs: number, jobs: number): Promise<Figures> {
  const app = createApp({ broker: redis.url, builtins: false, ...(results !== undefined && { results }) }, { env: {} });
  const queue = `bench-${crypto.randomUUID()}`;
  const from = Math.floor(jobs * WARM_UP);
  const { promise, resolve } = Promise.withResolvers<Figures>();
  let done = 0;
  let startedAt = 0;
  let cpu = process.cpuUsage();
  const task = app.task('mail', { queue }, async (_mail: (typeof ARGS)[0]) => {
    if (waitMs > 0) await wait(waitMs);
    if (done === from) {
      startedAt = performance.now();
      cpu = process.cpuUsage();
    }
    done += 1;
    if (done === jobs) {
      const { user, system } = process.cpuUsage(cpu);
      const count = jobs - from;
      resolve({ perSecond: (count / (performance.now() - startedAt)) * 1000, cpuMicros: (user + system) / count });
    }
    return { sent: true };
  });
  for (let sent = 0; sent < jobs; sent += BATCH) await task.bulk(Array.from({ length: BATCH }, () => ARGS));
  const logger = createLogger({ level: 'warn', destination: 2 });
  const worker = await app.createWorker({ queues: [queue], concurrency: CONCURRENCY, logger: logger.log });
  await worker.start();
  const figures = await promise;
  await worker.stop();
  await app.close();
  await logger.close();
  return figures;
}

async function createStore(kind: 'postgres' | 'sqlite'): Promise<string> {
  const url =
    kind === 'postgres'
      ? (await createPostgresDatabase(postgres.url)).url
      : `sqlite:${createFolderOfRun('results')}/results.db`;
  const store = await openResultStore(url, { clock: systemClock, skipSchema: true });
  await store.migrate();
  await store.close();
  return url;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function compare(kind: 'postgres' | 'sqlite', waitMs: number, jobs: number): Promise<void> {
  const kept: { without: Figures; with: Figures }[] = [];
  // The first round warms both up; the order changes every round.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const url = await createStore(kind);
    const sides = [
      ['without', undefined],
      ['with', url],
    ] as const;
    const figures: Partial<Record<'without' | 'with', Figures>> = {};
    for (const [side, results] of round % 2 === 0 ? sides : sides.toReversed()) {
      figures[side] = await run(results, waitMs, jobs);
    }
    if (round > 0) kept.push(figures as { without: Figures; with: Figures });
  }
  const of = (side: 'without' | 'with', figure: keyof Figures) => median(kept.map((each) => each[side][figure]));
  const ratio = median(kept.map((each) => each.with.perSecond / each.without.perSecond));
  const line = [
    `${waitMs === 0 ? 'no-op tasks' : `tasks of ${waitMs} ms`}, ${kind}`.padEnd(26),
    `without ${Math.round(of('without', 'perSecond'))}/s, ${of('without', 'cpuMicros').toFixed(1)} µs a job`.padEnd(38),
    `with ${Math.round(of('with', 'perSecond'))}/s, ${of('with', 'cpuMicros').toFixed(1)} µs a job`.padEnd(38),
    `ratio ${ratio.toFixed(2)} (target 0.85)`,
  ];
  process.stdout.write(`${line.join('')}\n`);
}

try {
  for (const kind of ['postgres', 'sqlite'] as const) {
    await compare(kind, 0, JOBS);
    await compare(kind, 5, JOBS);
  }
} finally {
  await redis.stop();
  await postgres.stop();
}
