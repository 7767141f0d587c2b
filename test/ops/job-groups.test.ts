import { expect, test } from 'vitest';
import { JobGroups } from '../../src/ops/job-groups.ts';
import { createStoredJob } from '../cli/fake-broker.ts';

const jobs = (task: string, count: number) => Array.from({ length: count }, () => createStoredJob({ task }));

test('the largest groups come first, the rest is one row', () => {
  const groups = new JobGroups();
  groups.add(jobs('few', 1));
  groups.add(jobs('many', 5));
  expect(groups.rows).toMatchObject([
    { task: 'many', jobs: 5 },
    { task: 'few', jobs: 1 },
  ]);
  for (let index = 0; index < 30; index += 1) groups.add(jobs(`task-${index}`, 2));
  expect(groups.rows).toHaveLength(21);
  // The first twenty are the largest one and nineteen of two jobs.
  expect(groups.rows.at(-1)).toMatchObject({ queue: 'others', jobs: 66 - 5 - 19 * 2 });
  expect(groups.rows.reduce((sum, { jobs: count }) => sum + Number(count), 0)).toBe(groups.count);
});

test('its memory is bounded, and nothing is left uncounted', () => {
  const groups = new JobGroups();
  for (let index = 0; index < 3000; index += 1) groups.add(jobs(`task-${index}`, 1));
  expect(groups.count).toBe(3000);
  expect(groups.rows.reduce((sum, { jobs: count }) => sum + Number(count), 0)).toBe(3000);
});
