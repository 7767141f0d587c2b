import { expect, test } from 'vitest';
import { describeControlCommand } from '../../control-command-rules.ts';
import { usageFault } from '../../parse-input.ts';

describeControlCommand({
  command: 'shutdown',
  words: [],
  input: {},
  reply: { stopping: true, active: 3 },
  piped: ['true', '3'],
  head: ['STOPPING', 'ACTIVE'],
  row: ['yes', '3'],
});

test('takes no arguments', async () => {
  expect(await usageFault('control', 'shutdown', 'a')).toMatch(/too many arguments/);
});
