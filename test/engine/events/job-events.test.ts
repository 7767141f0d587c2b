import { describe, expect, test } from 'vitest';
import type { JobFacts, LogEntry, ReadyFrom } from '../../../src/engine/broker/event-port.ts';
import { EVENT_KEYS, type Event } from '../../../src/engine/events/event.ts';
import { JobEventTeller } from '../../../src/engine/events/job-events.ts';

const base = (at: number) => ({ queue: 'q', id: '1', at });
const added = (at: number): LogEntry => ({ ...base(at), kind: 'added', task: 'work' });
const ready = (at: number, from: ReadyFrom): LogEntry => ({ ...base(at), kind: 'ready', from });
const scheduled = (at: number, dueAt: number): LogEntry => ({ ...base(at), kind: 'scheduled', dueAt });
const taken = (at: number): LogEntry => ({ ...base(at), kind: 'taken' });
const failed = (at: number, message: string): LogEntry => ({ ...base(at), kind: 'failed', message });
const completed = (at: number): LogEntry => ({ ...base(at), kind: 'completed', state: 'SUCCESS', reason: null });
const progress = (at: number): LogEntry => ({ ...base(at), kind: 'progress', progress: 5 });

const FACTS: JobFacts = {
  task: 'work',
  requestId: 'r',
  worker: 'w',
  attemptsCharged: 0,
  startedAt: null,
  finishedAt: null,
  error: null,
  errors: [],
  delayMs: null,
};

/** Tells batches, each with what the job says of itself when it is read; undefined for a job that is gone. */
async function tell(...batches: readonly [entries: readonly LogEntry[], facts: Partial<JobFacts> | undefined][]) {
  const teller = new JobEventTeller();
  const told: Event[] = [];
  const reads: number[] = [];
  for (const [entries, facts] of batches) {
    let count = 0;
    const readFacts = async (_queue: string, ids: readonly string[]) => {
      count += ids.length;
      return new Map(facts === undefined ? [] : ids.map((id) => [id, { ...FACTS, ...facts }]));
    };
    told.push(...(await teller.tell(entries, readFacts)));
    reads.push(count);
  }
  return { told, reads, types: told.map(({ type }) => type) };
}

describe('what a job says decides about a retry', () => {
  test('an attempt that was charged is one', async () => {
    const { told } = await tell(
      [[added(0), ready(0, 'new'), taken(10)], {}],
      [[scheduled(30, 1030)], { attemptsCharged: 1, error: 'Error: no', errors: ['Error: no'] }],
    );
    expect(told.at(-1)).toMatchObject({
      type: 'retried',
      attempt: 1,
      durationMs: 20,
      delayMs: 1000,
      error: 'Error: no',
    });
  });

  test.each([
    ['put back', scheduled(30, 1030)],
    ['handed back', ready(30, 'running')],
  ])('an attempt that was not charged, because the job was %s, is none', async (_, entry) => {
    const { types } = await tell([[added(0), ready(0, 'new'), taken(10)], {}], [[entry], { attemptsCharged: 0 }]);
    expect(types).not.toContain('retried');
  });

  test('a job that ended since counts the attempt that it ended with, which is no retry', async () => {
    const story = [added(0), ready(0, 'new'), taken(1), ready(2, 'running'), taken(3), completed(4)];
    const handedBack = await tell([story, { attemptsCharged: 1, finishedAt: 4 }]);
    expect(handedBack.types).toEqual(['sent', 'received', 'started', 'received', 'started', 'succeeded']);
    const retried = await tell([story, { attemptsCharged: 2, finishedAt: 4, errors: ['A: 1'] }]);
    expect(retried.types).toEqual(['sent', 'received', 'started', 'retried', 'received', 'started', 'succeeded']);
    expect(retried.told.map(({ attempt }) => attempt)).toEqual([null, null, 1, 1, null, 2, 2]);
  });

  test('each attempt has its own error, also when the job is read later', async () => {
    const { told } = await tell([
      [
        added(0),
        ready(0, 'new'),
        taken(1),
        ready(2, 'running'),
        taken(3),
        ready(4, 'running'),
        taken(5),
        failed(6, 'c'),
      ],
      { attemptsCharged: 3, finishedAt: 6, error: 'C: c', errors: ['A: a', 'B: b', 'C: c'] },
    ]);
    expect(told.map(({ error }) => error).filter((error) => error !== null)).toEqual(['A: a', 'B: b', 'C: c', 'C: c']);
  });

  test('of a job that is gone, only what passes through the delayed set is taken for one', async () => {
    const back = await tell([[added(0), ready(0, 'new'), taken(1), ready(2, 'running')], undefined]);
    expect(back.types).toEqual(['sent', 'received', 'started', 'received']);
    const delayed = await tell([[added(0), ready(0, 'new'), taken(1), scheduled(2, 3)], undefined]);
    expect(delayed.types).toEqual(['sent', 'received', 'started', 'retried']);
  });

  test('a job that was first seen when it left its worker is judged by its failures', async () => {
    const yes = await tell([[scheduled(5, 6)], { attemptsCharged: 2, error: 'A: a', errors: ['A: b', 'A: a'] }]);
    expect(yes.told).toMatchObject([{ type: 'retried', attempt: 2, error: 'A: a' }]);
    expect((await tell([[scheduled(5, 6)], {}])).types).toEqual([]);
  });

  test('a job that waits and is given another time is none', async () => {
    const { types } = await tell([[added(0), scheduled(0, 100)], {}], [[scheduled(5, 200)], {}]);
    expect(types).toEqual(['sent']);
  });
});

test('a scheduled job is sent with its delay, also when the log was read between its two entries', async () => {
  const together = await tell([[added(10), scheduled(10, 110)], { delayMs: 100 }]);
  expect(together.told).toMatchObject([{ type: 'sent', state: 'SCHEDULED', delayMs: 100 }]);
  const apart = await tell([[added(10)], { delayMs: 99 }], [[scheduled(10, 110)], { delayMs: 99 }]);
  expect(apart.told).toMatchObject([{ type: 'sent', state: 'SCHEDULED', delayMs: 99 }]);
  const gone = await tell([[added(10), scheduled(10, 110)], undefined]);
  expect(gone.told).toMatchObject([{ type: 'sent', state: 'SCHEDULED', delayMs: 100, task: 'work' }]);
});

test('a dead letter that is put back begins to count where the job says', async () => {
  const { told } = await tell(
    [[taken(1), failed(2, 'x')], { attemptsCharged: 3, finishedAt: 2, error: 'A: x', errors: null }],
    [[ready(3, 'ended'), taken(4)], { attemptsCharged: 0 }],
  );
  expect(told.map(({ type, attempt }) => [type, attempt])).toEqual([
    ['started', 3],
    ['failed', 3],
    ['dead', 3],
    ['received', null],
    ['started', 1],
  ]);
});

test('a job that is gone is told with nulls, or with what was known of it', async () => {
  const unknown = await tell([[taken(1), progress(2), failed(3, 'late\nmore')], undefined]);
  expect(unknown.told).toMatchObject([
    { type: 'started', task: null, worker: null, attempt: null, requestId: null },
    { type: 'progress', progress: 5 },
    { type: 'failed', error: 'Error: late', durationMs: 2 },
    { type: 'dead' },
  ]);
  const known = await tell([[added(0), ready(0, 'new'), taken(1)], {}], [[completed(5)], undefined]);
  expect(known.told.at(-1)).toMatchObject({ task: 'work', worker: 'w', requestId: 'r', attempt: 1, durationMs: 4 });
});

test('a job is read once a batch, and not at all when nothing new is to be learnt', async () => {
  const { reads } = await tell(
    [[added(0), ready(0, 'new')], {}],
    [[taken(1), progress(2)], {}],
    [[progress(3)], {}],
    [[completed(5)], {}],
  );
  expect(reads).toEqual([1, 1, 0, 0]);
});

test('an error is told by its first line, cut', async () => {
  const { told } = await tell([[taken(1), failed(2, `${'x'.repeat(400)}\nmore`)], undefined]);
  expect(told.at(-1)?.error).toHaveLength(300);
});

test('every event has every key, in one order', async () => {
  const { told } = await tell([
    [
      added(0),
      ready(0, 'new'),
      taken(1),
      progress(2),
      scheduled(3, 4),
      ready(4, 'scheduled'),
      taken(5),
      failed(6, 'x'),
    ],
    { attemptsCharged: 2, finishedAt: 6 },
  ]);
  expect(told.length).toBe(9);
  for (const event of told) expect(Object.keys(event)).toEqual([...EVENT_KEYS]);
});

test('what is known of jobs is bounded', async () => {
  const teller = new JobEventTeller();
  const readFacts = async () => new Map<string, JobFacts>();
  const of = (id: string, entry: LogEntry): LogEntry => ({ ...entry, id });
  await teller.tell([of('old', added(0))], readFacts);
  const others = Array.from({ length: 10_000 }, (_, index) => of(`job-${index}`, added(1)));
  await teller.tell(others, readFacts);
  const [forgotten] = await teller.tell([of('old', completed(2))], readFacts);
  const [known] = await teller.tell([of('job-9999', completed(2))], readFacts);
  expect(forgotten?.task).toBeNull();
  expect(known?.task).toBe('work');
});
