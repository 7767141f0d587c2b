import fc from 'fast-check';
import { TICK_MS } from '../store.ts';
import type { Target } from '../targets.ts';
import type { ListedState, QueueIndex, WorkerIndex } from '../world.ts';

/** Small choices that many operations share. Each list begins with what is simplest, which is where shrinking goes. */

/** Mostly the first, so that what is added in one operation is met by the next. */
export const queue = fc.constantFrom<QueueIndex>(0, 0, 0, 1);
export const worker = fc.constantFrom<WorkerIndex>(0, 0, 0, 1);
export const nth = fc.constantFrom(0, 0, 0, 1, 2, 3, 4);

/** Mostly a job in a state that the operation is meant for, sometimes any. */
export function target(...states: ListedState[]): fc.Arbitrary<Target> {
  const state = fc.oneof(
    { weight: 1, arbitrary: fc.constant<Target['state']>('any') },
    { weight: 4, arbitrary: fc.constantFrom<Target['state']>(...(states.length > 0 ? states : ['any' as const])) },
  );
  return record({ queue, state, nth });
}

/** A duration that Redis's own clock rules, see `TICK_MS`. */
export const storedMs = fc.constantFrom(1, 5, 10, 30).map((ticks) => ticks * TICK_MS);

/** A duration that is stored as an instant; any number of milliseconds. */
export const delayMs = fc.constantFrom(0, 1000, 1, 500, 5000, 10_000, 60_000);

export const name = fc.constantFrom('a', 'b', 'mail.send', '', 'naïve 😀 "quoted" \\ name');

export const data = fc.oneof(
  { weight: 4, arbitrary: fc.nat(9).map((n): unknown => ({ n })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>({}, [], null, 0, '', 'text', { deep: [{ é: '😀\u0000\n' }, []] }, 1.5, false),
  },
);

export const result = fc.oneof(
  { weight: 4, arbitrary: fc.nat(9) as fc.Arbitrary<unknown> },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      null,
      0,
      '',
      'done',
      { ok: true },
      [1, 'two'],
      false,
      'naïve "😀"',
      'long'.repeat(50),
    ),
  },
);

export const reason = fc.constantFrom('broken', 'no such host', '', 'naïve "😀"');

/** Present in so many percent of the draws. */
export function rarely<T>(percent: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  const absent = { weight: 100 - percent, arbitrary: fc.constant(undefined) };
  return fc.oneof({ withCrossShrink: true }, absent, { weight: percent, arbitrary: value });
}

/** Arbitraries of the members of T; those of optional members may draw undefined, which is left out. */
export type Model<T> = {
  [Key in keyof T]-?: fc.Arbitrary<T[Key] | (object extends Pick<T, Key> ? undefined : never)>;
};

export function record<T extends object>(model: Model<T>): fc.Arbitrary<T> {
  return fc.record(model as Record<string, fc.Arbitrary<unknown>>, { noNullPrototype: true }).map((drawn) => {
    return Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined)) as T;
  });
}
