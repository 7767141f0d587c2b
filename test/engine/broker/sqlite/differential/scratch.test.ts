import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { createRedisUrl } from '../../../../support/brokers.ts';
import { fakeDate, releaseDate } from './clock.ts';
import { compare, type Pair } from './comparison.ts';
import { formatDifferences } from './difference.ts';
import { sequences } from './operation.ts';
import { createRedisStore } from './redis-store.ts';
import { describeCounterexample, findDisagreement } from './search.ts';
import { createSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

const url = new URL(createRedisUrl());
const base = url.searchParams.get('prefix');
url.search = '';
const stores = [
  createRedisStore('redis', url.href),
  process.env['SUBJECT'] === 'redis'
    ? createRedisStore('redis2', url.href)
    : process.env['PATCH']
      ? patched(createSqliteStore())
      : createSqliteStore(),
] as const;
let n = 0;
function patched(store: Store): Store {
  return {
    ...store,
    createBackend: (...args) => {
      const b = store.createBackend(...args);
      const deep = (v: any): any =>
        v && typeof v === 'object' && !Array.isArray(v)
          ? Object.fromEntries(
              Object.entries(v)
                .filter(([, x]) => x !== null)
                .map(([k, x]) => [k, deep(x)]),
            )
          : v;
      const ranges = b.getRanges.bind(b);
      const counts = b.getCounts.bind(b);
      const data = b.getJobData.bind(b);
      const active = b.moveToActive.bind(b);
      b.getJobData = async (id) => {
        const j = await data(id);
        return j && { ...j, opts: deep(j.opts) };
      };
      b.moveToActive = async (...a) => {
        const r = await active(...a);
        if (r[0]) r[0] = { ...r[0], opts: deep(r[0].opts) };
        return r;
      };
      for (const m of ['moveToCompleted', 'moveToFailed'] as const) {
        const f = (b[m] as any).bind(b);
        (b as any)[m] = async (...a: any[]) => {
          const r = await f(...a);
          if (r.result?.[0]) r.result[0] = { ...r.result[0], opts: deep(r.result[0].opts) };
          return r;
        };
      }
      {
        const f = b.moveToDelayed.bind(b);
        b.moveToDelayed = async (...a) => {
          const r = await f(...a);
          if (r?.[0]) r[0] = { ...r[0], opts: deep(r[0].opts) };
          return r;
        };
      }
      const pag = b.paginate.bind(b);
      b.paginate = async (...a) => {
        const r = await pag(...a);
        r.jobs?.forEach((j: any) => {
          delete j.id;
        });
        return r;
      };
      b.getRanges = async (types, start, end, asc) => {
        const r = (await ranges(types, start, end, asc)) as any[];
        const at = types.indexOf('repeat' as never);
        if (at >= 0) {
          const flat = await b.getJobSchedulersRange(start ?? 0, end ?? 1, asc ?? false);
          r[at] = flat.filter((_, i) => i % 2 === 0);
        }
        return r as never;
      };
      b.getCounts = async (types, ts) => {
        const r = await counts(types, ts);
        const at = types.indexOf('repeat' as never);
        if (at >= 0) r[at] = await b.getJobSchedulersCount();
        return r;
      };
      return b;
    },
  };
}
const pair: Pair = { reference: stores[0], subject: stores[1], createPrefix: () => `${base}-${n++}` };
beforeAll(fakeDate);
afterAll(async () => {
  releaseDate();
  for (const s of stores) await s.close();
});
test('scratch', { timeout: 3_000_000 }, async () => {
  const runs = Number(process.env['RUNS'] ?? 100);
  const seed = Number(process.env['SEED'] ?? 1);
  const t = performance.now();
  if (process.env['WHAT'] === 'find') {
    for (let s = seed; s < seed + Number(process.env['SEEDS'] ?? 1); s++) {
      const c = await findDisagreement(pair, {
        runs,
        seed: s,
        maxLength: 60,
        shrinkMs: Number(process.env['SHRINK'] ?? 10000),
      });
      const text = c ? describeCounterexample(pair, c) : 'no difference';
      console.log(text);
      appendFileSync('/tmp/found.txt', `${text}\n${'-'.repeat(80)}\n`);
    }
  } else {
    const all = fc.sample(sequences(60), { numRuns: runs, seed });
    let ops = 0;
    const kinds = new Map<string, number>();
    let bad = 0;
    for (const [i, seq] of all.entries()) {
      ops += seq.length;
      const d = await compare(pair, seq);
      if (d && process.env['FLAKE']) {
        const again = [await compare(pair, seq), await compare(pair, seq), await compare(pair, seq)];
        appendFileSync(
          '/tmp/flake.txt',
          `${i} seed ${seed} at ${d.at} of ${seq.length} ${JSON.stringify(d.operation)} again ${again.map((x) => x?.at)}\n${formatDifferences(d.differences, 'redis', 'sqlite')}\n`,
        );
      }
      if (d) {
        bad++;
        for (const x of d.differences.slice(0, 3)) {
          const k = `${d.operation.op}: ${x.path.replace(/\.\d+/g, '.#').replace(/(alpha|beta)\/[^.]*/, '$1/#')}  ${JSON.stringify(x.expected)?.slice(0, 60)} | ${JSON.stringify(x.got)?.slice(0, 60)}`;
          kinds.set(k, (kinds.get(k) ?? 0) + 1);
        }
      }
    }
    console.log(
      [...kinds]
        .sort((a, b) => b[1] - a[1])
        .map(([k, v]) => `${v} ${k}`)
        .join('\n'),
    );
    console.log('bad', bad, 'of', all.length, 'ops', ops, 'ms', performance.now() - t);
  }
});
