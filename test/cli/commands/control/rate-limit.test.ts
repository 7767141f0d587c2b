import { expect, test } from 'vitest';
import { describeControlCommand } from '../../control-command-rules.ts';
import { parseInput, usageFault } from '../../parse-input.ts';

describeControlCommand({
  command: 'rate-limit',
  words: ['email.send', '10/m'],
  input: { task: 'email.send', rate: '10/m' },
  reply: { task: 'email.send', rate: '10/m' },
  piped: ['email.send', '10/m'],
  head: ['TASK', 'RATE'],
  row: ['email.send', '10/m'],
});

test('0 is no limit', async () => {
  expect(await parseInput('control', 'rate-limit', 'a', '0')).toMatchObject({ task: 'a', rate: '0' });
});

test.each([
  [['a'], /missing required argument/],
  [['a', 'often'], /the rate must be a rate such as 10\/s/],
  [['a', '0/m'], /the rate must be/],
  [[' ', '1/m'], /the task must be a text that is not empty/],
])('%j is refused', async (argv, message) => {
  expect(await usageFault('control', 'rate-limit', ...argv)).toMatch(message);
});
