import { expect, test } from 'vitest';
import { createFetchWatch, type FetchLook } from '../../../../src/engine/worker/health/fetch-watch.ts';

type Look = Omit<FetchLook, 'at'>;

/** Looks every ten seconds with a limit of thirty, and what each said. */
function look(...looks: readonly Look[]) {
  const watch = createFetchWatch(30_000);
  return looks.map((each, index) => watch.look({ ...each, at: index * 10_000 }));
}

const should = (taken = 0) => ({ taken, shouldTake: true }) as const;
const idle = (taken = 0) => ({ taken, shouldTake: false }) as const;
const unknown = { taken: 0, shouldTake: 'unknown' } as const;
const kinds = (...looks: readonly Look[]): string[] => look(...looks).map(({ kind }) => kind);

test('jobs that wait beside free slots for the limit are a stuck fetch, said once', () => {
  expect(look(should(), should(), should(), should(), should()).slice(2)).toEqual([
    { kind: 'nothing' },
    { kind: 'stuck', forMs: 30_000 },
    { kind: 'nothing' },
  ]);
});

test('a job that is taken ends the suspicion', () => {
  expect(kinds(should(), should(), should(), should(1), should(1), should(1), should(1), should(1))).toEqual([
    ...Array(7).fill('nothing'),
    'stuck',
  ]);
});

test('so does a look that finds nothing to take, and one that cannot tell', () => {
  expect(kinds(should(), should(), should(), idle(), should(), should())).not.toContain('stuck');
  expect(kinds(should(), should(), should(), unknown, should(), should())).not.toContain('stuck');
});

test('a stuck fetch has recovered when a job was taken, or when none waits', () => {
  const stuck = [should(), should(), should(), should()];
  expect(look(...stuck, should(1)).at(-1)).toEqual({ kind: 'recovered', forMs: 40_000 });
  expect(look(...stuck, idle()).at(-1)).toEqual({ kind: 'recovered', forMs: 40_000 });
  expect(kinds(...stuck, idle(), idle()).at(-1)).toBe('nothing');
});

test('a stuck fetch stays stuck while nobody can tell', () => {
  const stuck = [should(), should(), should(), should()];
  expect(kinds(...stuck, unknown, should()).slice(4)).toEqual(['nothing', 'nothing']);
  expect(look(...stuck, unknown, idle()).at(-1)).toEqual({ kind: 'recovered', forMs: 50_000 });
});

test('two looks that are far apart, as those of a machine that slept, prove nothing', () => {
  const watch = createFetchWatch(30_000);
  expect(watch.look({ ...should(), at: 0 })).toEqual({ kind: 'nothing' });
  expect(watch.look({ ...should(), at: 600_000 })).toEqual({ kind: 'nothing' });
  expect(watch.look({ ...should(), at: 601_000 })).toEqual({ kind: 'stuck', forMs: 601_000 });
});
