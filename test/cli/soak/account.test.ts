import { expect, test } from 'vitest';
import { account, type Incidents } from './account.ts';
import type { Run } from './journal.ts';

const run = (worker: string, startedAt: number, endedAt?: number): Run => ({ worker, startedAt, endedAt });
const NOTHING: Incidents = { killed: new Map(), outages: [] };

test.each<[string, Run[], Incidents, { lost: number; unexcused: number }]>([
  ['a job that ran once', [run('a', 0, 10)], NOTHING, { lost: 0, unexcused: 0 }],
  ['a job that never ran', [], NOTHING, { lost: 1, unexcused: 0 }],
  ['a job that came to no end', [run('a', 0)], NOTHING, { lost: 1, unexcused: 0 }],
  ['a job that ran twice for no reason', [run('a', 0, 10), run('b', 20, 30)], NOTHING, { lost: 0, unexcused: 1 }],
  [
    'a job whose worker was killed while it ran',
    [run('a', 0), run('b', 9000, 9010)],
    { ...NOTHING, killed: new Map([['a', 5]]) },
    { lost: 0, unexcused: 0 },
  ],
  [
    'a job that had ended long before its worker was killed',
    [run('a', 0, 10), run('b', 9000, 9010)],
    { ...NOTHING, killed: new Map([['a', 8000]]) },
    { lost: 0, unexcused: 1 },
  ],
  [
    'a job whose other worker was killed',
    [run('a', 0, 10), run('b', 20, 30)],
    { ...NOTHING, killed: new Map([['b', 25]]) },
    { lost: 0, unexcused: 1 },
  ],
  [
    'a job that ran while the broker went away',
    [run('a', 0, 10), run('b', 9000, 9010)],
    { ...NOTHING, outages: [{ from: 5, to: 3000 }] },
    { lost: 0, unexcused: 0 },
  ],
  [
    'a job that ran when the broker was there again',
    [run('a', 4000, 4010), run('b', 9000, 9010)],
    { ...NOTHING, outages: [{ from: 5, to: 3000 }] },
    { lost: 0, unexcused: 1 },
  ],
])('the account of %s', (_, runs, incidents, expected) => {
  const { lost, unexcused } = account(['job'], new Map([['job', runs]]), incidents);
  expect({ lost: lost.length, unexcused: unexcused.length }).toEqual(expected);
});
