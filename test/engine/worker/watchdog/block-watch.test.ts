import { expect, test } from 'vitest';
import { createBlockWatch } from '../../../../src/engine/worker/watchdog/block-watch.ts';

/** Looks as given, each `[beats, ms]`, and what they said. */
function look(...looks: readonly [beats: number, nowMs: number][]) {
  const watch = createBlockWatch(1000);
  return looks.map(([beats, nowMs]) => watch.look(beats, nowMs)).filter(({ kind }) => kind !== 'nothing');
}

test('a loop whose beats go on is not blocked', () => {
  expect(look([1, 0], [2, 500], [3, 1000], [4, 1500], [5, 2000])).toEqual([]);
});

test('a block is said once when it has lasted longer than the threshold, and once when it has ended', () => {
  expect(look([1, 0], [1, 500], [1, 1000], [1, 1500], [1, 2000], [1, 2500], [2, 3000], [3, 3500])).toEqual([
    { kind: 'blocked', blockedMs: 1500 },
    { kind: 'ended', blockedMs: 3000 },
  ]);
});

test('a shorter block is not said', () => {
  expect(look([1, 0], [1, 500], [1, 1000], [2, 1400], [2, 1800])).toEqual([]);
});

test('each block is said', () => {
  const kinds = look([1, 0], [1, 900], [1, 1100], [2, 1200], [2, 2100], [2, 2300], [3, 2400]).map(({ kind }) => kind);
  expect(kinds).toEqual(['blocked', 'ended', 'blocked', 'ended']);
});

test('a process that stood still as a whole was not blocked', () => {
  expect(look([1, 0], [1, 500], [1, 60_000], [1, 60_500], [2, 60_900])).toEqual([]);
});

test('a loop that blocks before its first beat is blocked', () => {
  expect(look([0, 5000], [0, 5500], [0, 6000], [0, 6500])).toEqual([{ kind: 'blocked', blockedMs: 1500 }]);
});
