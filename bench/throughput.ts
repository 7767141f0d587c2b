/**
 * tq beside bare BullMQ, in one run on one Redis: `npm run bench`. Prints the ratios; README.md of this folder holds the
 * figures of one machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type Measure } from './compare.ts';
import { createBareBullmq, createTq } from './contenders.ts';
import { startRedis } from './redis-server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);

const enqueue: Measure[] = [
  { name: 'enqueue, one at a time', target: 0.9, run: (contender, queue) => contender.enqueueOneByOne(queue, 3000) },
  { name: 'enqueue, in bulk', target: 0.9, run: (contender, queue) => contender.enqueueInBulk(queue, 20_000) },
];

const process_ = (concurrency: number, count: number, target: number): Measure => ({
  name: `process, concurrency ${concurrency}`,
  target,
  run: async (contender, queue) => {
    await contender.enqueueInBulk(queue, count);
    return contender.process(queue, count, concurrency);
  },
});

const server = await startRedis();
const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
try {
  const bullmq = createBareBullmq(server);
  const quiet = createTq(server, { level: 'warn' });
  const logging = createTq(server, { level: 'info', file: join(folder, 'worker.log') });
  for (const measure of enqueue) await compare(measure, bullmq, quiet, ROUNDS);
  for (const [concurrency, count] of [
    [1, 6000],
    [10, 30_000],
    [50, 30_000],
  ] as const) {
    await compare(process_(concurrency, count, 0.95), bullmq, quiet, ROUNDS);
    await compare(process_(concurrency, count, 0.85), bullmq, logging, ROUNDS);
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
