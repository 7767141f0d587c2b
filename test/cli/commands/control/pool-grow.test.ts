import { expect, test } from 'vitest';
import { describeControlCommand } from '../../control-command-rules.ts';
import { parseInput, usageFault } from '../../parse-input.ts';

describeControlCommand({
  command: 'pool-grow',
  words: ['3'],
  input: { by: 3 },
  reply: { concurrency: 4 },
  piped: ['4'],
  head: ['SLOTS'],
  row: ['4'],
});

test('without a number it is one slot', async () => {
  expect(await parseInput('control', 'pool-grow')).toMatchObject({ by: 1 });
});

test('says what is wrong', async () => {
  expect(await usageFault('control', 'pool-grow', '0')).toMatch(/whole number from 1/);
  expect(await usageFault('control', 'pool-grow', '1', '2')).toMatch(/too many arguments/);
});
