import { expect, test } from 'vitest';
import type { JobSummary } from '../../../src/engine/core/job.ts';
import { DeathGroups } from '../../../src/engine/deadletter/death-groups.ts';
import { summaryOf } from '../canvas/written-graph.ts';

function death(kind: string, finishedAt: number | null, given: Partial<JobSummary> = {}): JobSummary {
  const error = { name: 'Error', message: kind, code: null, stack: null };
  return summaryOf(`${kind}-${finishedAt}`, { state: 'FAILURE', error, fingerprint: kind, finishedAt, ...given });
}

test('beyond so many groups the rest is counted together, at the end', () => {
  const groups = new DeathGroups(2);
  for (const [kind, at] of [
    ['a', 5],
    ['b', 6],
    ['c', 1],
    ['b', 7],
    ['d', 9],
    ['a', 3],
    ['b', 2],
    ['c', 4],
  ] as const) {
    groups.add(death(kind, at));
  }
  expect(groups.total).toBe(8);
  expect(groups.list()).toMatchObject([
    { fingerprint: 'b', count: 3, firstAt: 2, lastAt: 7, sample: 'b-7' },
    { fingerprint: 'a', count: 2, firstAt: 3, lastAt: 5, sample: 'a-5' },
    { fingerprint: 'other', task: null, queue: null, count: 3, firstAt: 1, lastAt: 9, sample: null },
  ]);
});

test('what died at an unknown time or of nothing is counted too', () => {
  const groups = new DeathGroups();
  groups.add(death('a', null));
  groups.add(death('a', null, { error: null, fingerprint: null }));
  expect(groups.list()).toMatchObject([
    { fingerprint: 'a', count: 1, firstAt: null, lastAt: null, sample: null },
    { fingerprint: 'none', error: '', count: 1 },
  ]);
});
