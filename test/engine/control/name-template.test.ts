import { expect, test } from 'vitest';
import { formatWorkerName, isNumbered } from '../../../src/engine/control/name-template.ts';

const parts = { host: 'box', pid: 42 };

test.each([
  ['tq@%h', 'tq@box'],
  ['%h-%p', 'box-42'],
  ['tq%n@%h', 'tq1@box'],
  ['100%%@%h', '100%@box'],
  ['a%%n', 'a%n'],
  ['%x', '%x'],
])('%s is %s', (template, name) => {
  expect(formatWorkerName(template, parts)).toBe(name);
});

test('the number is the one that is given', () => {
  expect(formatWorkerName('tq%n', { ...parts, number: 7 })).toBe('tq7');
});

test.each(['', 'a b', 'a:b', 'a,b', 'a\u0000', 'x'.repeat(201)])('%j gives no name', (template) => {
  expect(() => formatWorkerName(template, parts)).toThrow(/the name of the worker must be a text of 1 to 200/);
});

test('a percent sign of its own is no placeholder', () => {
  expect(['%n', 'a%n', '%%%n', '%h%n'].map(isNumbered)).toEqual([true, true, true, true]);
  expect(['%%n', 'n', '%h', '%%%%n'].map(isNumbered)).toEqual([false, false, false, false]);
});
