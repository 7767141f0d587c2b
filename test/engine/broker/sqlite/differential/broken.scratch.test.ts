import { afterAll, beforeAll, test } from 'vitest';
import { createRedisUrl } from '../../../../support/brokers.ts';
import { fakeDate, releaseDate } from './clock.ts';
import type { Pair } from './comparison.ts';
import { createRedisStore } from './redis-store.ts';
import { describeCounterexample, findDisagreement } from './search.ts';
import type { Store } from './store.ts';

const url = new URL(createRedisUrl());
const base = url.searchParams.get('prefix');
url.search = '';
const stores = [createRedisStore('redis', url.href), createRedisStore('broken', url.href)] as const;
let n = 0;
const faults: Record<string, (store: Store) => Store> = {
  promote: (store) => ({ ...store, createBackend: (...args) => {
    const b = store.createBackend(...args);
    const real = b.promoteJobs.bind(b);
    b.promoteJobs = async (count) => { await real(count); return 0; };
    return b;
  } }),
  stalled: (store) => ({ ...store, createBackend: (...args) => {
    const b = store.createBackend(...args);
    const real = b.moveStalledJobsToWait.bind(b);
    b.moveStalledJobsToWait = async () => { const r = await real(); return r.slice(1); };
    return b;
  } }),
  extend: (store) => ({ ...store, createBackend: (...args) => {
    const b = store.createBackend(...args);
    const real = b.extendLock.bind(b);
    b.extendLock = async (id, token, ms) => real(id, token, ms / 2 > 1000 ? 1000 : ms);
    return b;
  } }),
  idof: (store) => ({ ...store, createBackend: (...args) => {
    const b = store.createBackend(...args);
    const real = b.moveToFailed.bind(b);
    b.moveToFailed = async (job: any, ...rest: any[]) => (real as any)(Object.assign(Object.create(job), { opts: { ...job.opts, attempts: 0 } }), ...rest);
    return b;
  } }),
};
beforeAll(fakeDate);
afterAll(async () => { releaseDate(); for (const s of stores) await s.close(); });
test.each(Object.keys(faults))('%s', { timeout: 600_000 }, async (fault) => {
  const pair: Pair = { reference: stores[0], subject: faults[fault]!(stores[1]), createPrefix: () => `${base}-b${n++}` };
  for (const seed of [1, 2]) {
    const t = performance.now();
    const c = await findDisagreement(pair, { runs: 1000, seed, maxLength: 60, shrinkMs: Number(process.env['SHRINK'] ?? 30000) });
    console.log(fault, seed, performance.now() - t, c && describeCounterexample(pair, c));
  }
});
