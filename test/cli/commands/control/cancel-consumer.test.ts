import { expect, test } from 'vitest';
import { describeControlCommand } from '../../control-command-rules.ts';
import { usageFault } from '../../parse-input.ts';

describeControlCommand({
  command: 'cancel-consumer',
  words: ['low'],
  input: { queue: 'low' },
  reply: { queues: ['high', 'low'], changed: true },
  piped: ['high,low', 'true'],
  head: ['QUEUES', 'CHANGED'],
  row: ['high,low', 'yes'],
});

test('says what is wrong', async () => {
  expect(await usageFault('control', 'cancel-consumer', '')).toMatch(/not empty/);
  expect(await usageFault('control', 'cancel-consumer')).toMatch(/missing/);
});
