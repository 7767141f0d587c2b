import { expect, test } from 'vitest';
import { formatProgress } from '../../../src/engine/core/progress.ts';

test.each<[unknown, string | undefined]>([
  [{ done: 340, total: 1000, note: 'resizing' }, '340/1000 (34 %) resizing'],
  [{ done: 999, total: 1000 }, '999/1000 (99 %)'],
  [{ done: 1000, total: 1000, note: '' }, '1000/1000 (100 %)'],
  [{ done: 0, total: 0 }, '0/0'],
  [{ done: 12 }, '12 done'],
  [{ done: 12, note: 'pages' }, '12 done pages'],
  [{ done: 1, total: 2, step: 'x' }, undefined],
  [{ done: '1' }, undefined],
  [{ done: 1, total: -2 }, undefined],
  [{ done: 1, note: 5 }, undefined],
  [{}, undefined],
  [50, undefined],
  [[1, 2], undefined],
  [null, undefined],
])('the progress %j reads %j', (value, text) => {
  expect(formatProgress(value)).toBe(text);
});
