/**
 * The SQLite broker beside bare BullMQ on Redis, in one run: `npm run bench:sqlite`. The same no-op jobs, one process,
 * `synchronous=normal`. Figures of one machine are in README.md of this folder.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type Measure } from './compare.ts';
import { createBareBullmq, createBullmqOnSqlite, createTq } from './contenders.ts';
import { startRedis } from './redis-server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const MANY = Number(process.argv[3] ?? 1_000_000);

const server = await startRedis();
const folder = await mkdtemp(join(tmpdir(), 'tq-bench-'));
const path = join(folder, 'tq.db');
try {
  const redis = createBareBullmq(server);
  const tqOnRedis = createTq(server, { level: 'warn' });
  const plain = createBullmqOnSqlite(path);
  const tqOnSqlite = createTq({ url: `sqlite:${path}` }, { level: 'warn' });
  const measures: Measure[] = [
    { name: 'add, one at a time', target: 2, run: (contender, queue) => contender.enqueueOneByOne(queue, 3000) },
    { name: 'add, in bulk', target: 1, run: (contender, queue) => contender.enqueueInBulk(queue, 20_000) },
    {
      name: 'process, concurrency 50',
      target: 1.5,
      async run(contender, queue) {
        await contender.enqueueInBulk(queue, 15_000);
        return contender.process(queue, 15_000, 50);
      },
    },
  ];
  for (const measure of measures) {
    await compare(measure, redis, plain, ROUNDS);
    await compare(measure, redis, tqOnSqlite, ROUNDS);
    await compare({ ...measure, target: 0.9 }, redis, tqOnRedis, ROUNDS);
  }
  await compareDepths(plain);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

/** How fast a queue is worked off when it holds a thousand jobs, and when it holds a million. */
async function compareDepths(contender: ReturnType<typeof createBullmqOnSqlite>): Promise<void> {
  const taken = 10_000;
  await contender.enqueueInBulk('deep', MANY);
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const shallow = `shallow-${crypto.randomUUID()}`;
    let speed = 0;
    for (let part = 0; part < taken / 1000; part += 1) {
      await contender.enqueueInBulk(shallow, 1000);
      speed += await contender.process(shallow, 1000, 50);
    }
    const deep = await contender.process('deep', taken, 50);
    if (round > 0) ratios.push(deep / (speed / (taken / 1000)));
  }
  const ratio = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? 0;
  const { size } = await stat(path);
  const mib = Math.round(size / 2 ** 20);
  process.stdout.write(
    `${MANY} waiting jobs against 1000: speed ratio ${ratio.toFixed(2)} (target 0.8); the file has ${mib} MiB\n`,
  );
}
