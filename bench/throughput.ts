/**
 * tq beside bare BullMQ, in one run on one Redis: `npm run bench`. Prints the ratios; README.md of this folder holds the
 * figures of one machine. Rounds alternate between the contenders and the median of the per-round ratios counts, because
 * the machine may be busy with other things.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contender, createBareBullmq, createTq } from './contenders.ts';
import { startRedis } from './redis-server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);

interface Measure {
  readonly name: string;
  readonly target: number;
  readonly run: (contender: Contender, queue: string) => Promise<number>;
}

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
  for (const measure of enqueue) await compare(measure, bullmq, quiet);
  for (const [concurrency, count] of [
    [1, 5000],
    [10, 15_000],
    [50, 15_000],
  ] as const) {
    await compare(process_(concurrency, count, 0.95), bullmq, quiet);
    await compare(process_(concurrency, count, 0.85), bullmq, logging);
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function compare(measure: Measure, base: Contender, contender: Contender): Promise<void> {
  const rounds: { base: number; contender: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const figures = { base: 0, contender: 0 };
    // The order changes every round: whoever runs second finds a warmer server.
    const order = round % 2 === 0 ? (['base', 'contender'] as const) : (['contender', 'base'] as const);
    for (const side of order) {
      const one = side === 'base' ? base : contender;
      figures[side] = await measure.run(one, `bench-${crypto.randomUUID()}`);
    }
    // The first round warms both up.
    if (round > 0) rounds.push(figures);
  }
  const ratio = median(rounds.map((figures) => figures.contender / figures.base));
  const line = [
    measure.name.padEnd(28),
    `${base.name} ${Math.round(median(rounds.map((figures) => figures.base)))}/s`.padEnd(18),
    `${contender.name} ${Math.round(median(rounds.map((figures) => figures.contender)))}/s`.padEnd(28),
    `ratio ${ratio.toFixed(2)} (target ${measure.target})`,
  ];
  process.stdout.write(`${line.join('')}\n`);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
