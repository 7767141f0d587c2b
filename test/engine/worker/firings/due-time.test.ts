import { expect, test } from 'vitest';
import { startOfRun } from '../../../../src/engine/core/schedule/jitter.ts';
import { isMissed, missedOutcome, readHold } from '../../../../src/engine/worker/firings/due-time.ts';
import { FakeJob } from '../fake-job.ts';

const DUE = 1_700_000_000_000;
const firing = { entry: 'nightly', dueAt: DUE };
const mark = { entry: 'nightly', jitterMs: 60_000 };
const start = startOfRun(mark, 'nightly', DUE);
const fresh = new FakeJob();

test('a firing is held until its start', () => {
  expect(readHold(firing, mark, fresh, DUE)).toBe(start - DUE);
  expect(readHold(firing, mark, fresh, DUE - 10)).toBe(start - DUE + 10);
  expect(readHold(firing, mark, fresh, start)).toBe(0);
  expect(start).toBeGreaterThan(DUE);
  for (const jitterMs of [0, -5, 0.5]) {
    expect(readHold(firing, { entry: 'nightly', jitterMs }, fresh, DUE - 10)).toBe(0);
  }
  expect(readHold(firing, { entry: 'nightly' }, fresh, DUE - 10)).toBe(0);
});

test('a firing that comes back, or was promoted before it was due, is not held', () => {
  expect(readHold(firing, mark, new FakeJob({ attempts: 1, timesTaken: 2 }), DUE)).toBe(0);
  expect(readHold(firing, mark, fresh, DUE - 60_000)).toBe(0);
});

test('the window of a firing begins when it is due', () => {
  const windowed = { ...mark, windowMs: 1000 };
  expect(isMissed(firing, windowed, DUE + 1000)).toBe(false);
  expect(isMissed(firing, windowed, DUE + 1001)).toBe(true);
  expect(isMissed(firing, { entry: 'nightly', windowMs: 0 }, DUE)).toBe(false);
  expect(isMissed(firing, { entry: 'nightly', windowMs: 0 }, DUE + 1)).toBe(true);
  expect(isMissed(firing, mark, DUE + 1e9)).toBe(false);
});

test('a missed firing says when it was due, how late it is and what its entry allows', () => {
  expect(missedOutcome(firing, { entry: 'nightly', windowMs: 60_000 }, DUE + 10_800_000)).toEqual({
    ...{ kind: 'ended', state: 'IGNORED' },
    reason: 'missed: due at 2023-11-14T22:13:20.000Z, 3h late; entry "nightly" lets a firing start at most 1m late',
  });
});
