import { expect, test } from 'vitest';
import { describeControlCommand } from '../../control-command-rules.ts';
import { usageFault } from '../../parse-input.ts';

describeControlCommand({
  command: 'autoscale',
  words: ['8', '2'],
  input: { max: 8, min: 2 },
  reply: { concurrency: 3, max: 8, min: 2 },
  piped: ['8', '2', '3'],
  head: ['MAX', 'MIN', 'SLOTS'],
  row: ['8', '2', '3'],
});

test('says what is wrong', async () => {
  expect(await usageFault('control', 'autoscale', '8')).toMatch(/missing/);
  expect(await usageFault('control', 'autoscale', '2', '8')).toMatch(/MIN must be at most MAX, 2, got 8/);
  expect(await usageFault('control', 'autoscale', 'x', '1')).toMatch(/MAX must be a whole number/);
});
