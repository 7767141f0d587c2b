import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { createRedisUrl } from '../../../../support/brokers.ts';
import { fakeDate, releaseDate } from './clock.ts';
import { compare, type Pair } from './comparison.ts';
import { formatDifferences } from './difference.ts';
import { sequences } from './operation.ts';
import { createRedisStore } from './redis-store.ts';

const url = new URL(createRedisUrl());
const base = url.searchParams.get('prefix');
url.search = '';
const stores = [createRedisStore('redis-1', url.href), createRedisStore('redis-2', url.href)] as const;
let n = 0;
const pair: Pair = { reference: stores[0], subject: stores[1], createPrefix: () => `${base}-${n++}` };
beforeAll(fakeDate);
afterAll(async () => {
  releaseDate();
  for (const s of stores) await s.close();
});
test('scratch', { timeout: 600_000 }, async () => {
  const all = fc.sample(sequences(60), { numRuns: Number(process.env['RUNS'] ?? 20), seed: Number(process.env['SEED'] ?? 1) });
  const t = performance.now();
  let ops = 0;
  for (const [i, seq] of all.entries()) {
    ops += seq.length;
    const d = await compare(pair, seq);
    if (d) {
      console.log(i, 'DIFF at', d.at, JSON.stringify(d.operation), '\n' + formatDifferences(d.differences, 'redis-1', 'redis-2'));
    }
  }
  console.log('ops', ops, 'ms', performance.now() - t);
});
