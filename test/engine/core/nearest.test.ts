import { expect, test } from 'vitest';
import { nearestNames } from '../../../src/engine/core/nearest.ts';

const TASKS = ['email.send', 'email.verification', 'image.resize', 'image.thumbnail', 'report.build'];

test.each([
  ['email.sned', ['email.send']],
  ['Email.Send', ['email.send']],
  ['email', ['email.send', 'email.verification']],
  ['image.risize', ['image.resize']],
  ['nothing-like-it', []],
])('finds what %j was probably meant to be', (given, names) => {
  expect(nearestNames(given, TASKS)).toEqual(names);
});

test('gives the best first and at most three, each once', () => {
  expect(nearestNames('abcd', ['abxx', 'abcx', 'abcd', 'abcy', 'abcd', 'zbcx'])).toEqual(['abcd', 'abcx', 'abcy']);
});

test('allows two slips in a short name', () => {
  expect(nearestNames('lo', ['low', 'high', 'slow'])).toEqual(['low', 'slow']);
});

test('takes an abbreviation for one, and not for a slip in a short name', () => {
  expect(nearestNames('schedule rm', ['schedule add', 'schedule run', 'schedule remove'])).toEqual(['schedule remove']);
  expect(nearestNames('ls', ['list', 'show'])).toEqual(['list']);
});
