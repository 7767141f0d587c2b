import { expect, test } from 'vitest';
import { Haste } from '../../../../src/engine/worker/prefork/haste.ts';

function noteAll(haste: Haste, ...durations: readonly number[]): boolean[] {
  return durations.map((ms) => haste.note(ms));
}

test('begins with short jobs and says so once', () => {
  const haste = new Haste();
  expect(haste.isOn).toBe(false);
  expect(noteAll(haste, 0.1, 0.1, 0.1)).toEqual([true, false, false]);
  expect(haste.isOn).toBe(true);
});

test('ends with one long job, and comes back only after many short ones', () => {
  const haste = new Haste();
  noteAll(haste, 0.1, 0.1);
  expect(haste.note(100)).toBe(true);
  expect(haste.isOn).toBe(false);
  let shortJobs = 0;
  while (!haste.note(0.1)) shortJobs += 1;
  expect(shortJobs).toBeGreaterThan(15);
  expect(shortJobs).toBeLessThan(60);
});

test('does not begin with jobs that take their time', () => {
  const haste = new Haste();
  expect(noteAll(haste, 5, 5, 5, 1, 5)).not.toContain(true);
});

test('ends when a job has waited in vain', () => {
  const haste = new Haste();
  expect(haste.end()).toBe(false);
  while (!haste.note(0.1));
  expect(haste.end()).toBe(true);
  expect(haste.isOn).toBe(false);
  expect(haste.note(0.1)).toBe(false);
});
