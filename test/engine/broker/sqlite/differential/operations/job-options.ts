import type { DeduplicationOptions, JobsOptions } from 'bullmq';
import fc from 'fast-check';
import { delayMs, rarely, record, storedMs } from './choices.ts';

export const CUSTOM_IDS = ['job-b', 'job-a', 'Zed', 'é'] as const;
export const COLON_ID = 'x:y:z';
export const DEDUPLICATION_IDS = ['once', 'twice'] as const;

/** What is kept of finished jobs, in every form that the option has. Ages are in seconds. */
const keep = fc.oneof(
  fc.constantFrom<JobsOptions['removeOnComplete'] & {}>(true, false, 1, 2, { count: 0 }, { count: 1 }),
  record<{ age: number; count?: number; limit?: number }>({
    age: fc.constantFrom(10, 0, 60),
    count: rarely(30, fc.constantFrom(1, 3)),
    limit: rarely(30, fc.constantFrom(1, 2)),
  }),
);

/** Simple without further options, throttle with `ttl`, debounce with `extend` and `replace`, and what is made of these. */
const deduplication = record<DeduplicationOptions>({
  id: fc.constantFrom(...DEDUPLICATION_IDS, DEDUPLICATION_IDS[0]),
  ttl: rarely(45, storedMs),
  extend: rarely(25, fc.boolean()),
  replace: rarely(25, fc.boolean()),
  reschedule: rarely(20, fc.boolean()),
  keepLastIfActive: rarely(35, fc.boolean()),
});

/** Without `jitter`, which draws its own random numbers. */
const backoff = fc.oneof(
  delayMs,
  record<{ type: string; delay?: number }>({
    type: mostly(fc.constantFrom('fixed', 'exponential'), fc.constant('unheard-of')),
    delay: rarely(80, delayMs),
  }),
);

const parentRelation = mostly(
  fc.constantFrom<readonly (keyof JobsOptions)[]>(
    ['failParentOnFailure'],
    ['continueParentOnFailure'],
    ['ignoreDependencyOnFailure'],
    ['removeDependencyOnFailure'],
  ),
  fc.constant(['failParentOnFailure', 'ignoreDependencyOnFailure'] as const),
);

/** What BullMQ takes, and one time in twenty what it refuses. */
function mostly<T>(taken: fc.Arbitrary<T>, refused: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 19, arbitrary: taken }, { weight: 1, arbitrary: refused });
}

const VALUES = {
  delay: delayMs,
  priority: mostly(fc.constantFrom(1, 2, 10, 2 ** 21 - 1, 0), fc.constantFrom(2 ** 21, 1.5)),
  lifo: fc.boolean(),
  attempts: fc.constantFrom(2, 3, 1),
  backoff,
  removeOnComplete: keep,
  removeOnFail: keep,
  keepLogs: fc.constantFrom(1, 2),
  stackTraceLimit: fc.constantFrom(1, 0),
  sizeLimit: fc.constantFrom(100, 8),
  timestamp: fc.constantFrom(Date.UTC(2026, 0, 1), Date.UTC(2025, 0, 1), Date.UTC(2027, 0, 1)),
  deduplication,
  jobId: mostly(fc.constantFrom(...CUSTOM_IDS, COLON_ID), fc.constantFrom('7', 'a:b', '0')),
};

type OptionName = keyof typeof VALUES;

/** Options of which each comes with its own probability in percent, so that most jobs are plain. */
function options(percent: Partial<Record<OptionName, number>>): fc.Arbitrary<JobsOptions> {
  const names = Object.keys(percent) as OptionName[];
  const values = names.map((option) =>
    fc.oneof(
      { withCrossShrink: true },
      { weight: 100 - (percent[option] ?? 0), arbitrary: fc.constant(undefined) },
      { weight: percent[option] ?? 0, arbitrary: VALUES[option] as fc.Arbitrary<unknown> },
    ),
  );
  return fc.tuple(...values).map((drawn) => {
    return Object.fromEntries(names.flatMap((option, at) => (drawn[at] === undefined ? [] : [[option, drawn[at]]])));
  });
}

const COMMON = {
  ...{ delay: 15, priority: 15, lifo: 8, attempts: 25, backoff: 15, removeOnComplete: 12, removeOnFail: 12 },
  ...{ keepLogs: 4, stackTraceLimit: 3, sizeLimit: 3, timestamp: 4 },
} as const;

/** Options of a job that is added on its own. */
export const jobOptions = options({ ...COMMON, deduplication: 20, jobId: 20 });

/** Options of a job that is one of those that share a deduplication id. */
export const deduplicatedOptions = options({ ...COMMON, delay: 45, deduplication: 100, jobId: 10 });

/** Options of the jobs that a scheduler makes. BullMQ does not check them, and reads back a part of a fractional priority. */
export const templateOptions = options({ ...COMMON, delay: 0, sizeLimit: 0, timestamp: 0 }).filter((drawn) =>
  Number.isInteger(drawn.priority ?? 0),
);

/** Options of a job that has a parent, and what its failure means for the parent. */
export const childOptions: fc.Arbitrary<JobsOptions> = fc
  .tuple(
    options({ ...COMMON, deduplication: 2 }),
    fc.oneof(
      { withCrossShrink: true },
      { weight: 1, arbitrary: fc.constant([] as readonly (keyof JobsOptions)[]) },
      { weight: 2, arbitrary: parentRelation },
    ),
  )
  .map(([own, relations]) => ({ ...own, ...Object.fromEntries(relations.map((relation) => [relation, true])) }));
