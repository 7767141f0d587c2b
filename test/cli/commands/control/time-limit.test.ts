import { expect, test } from 'vitest';
import { describeControlCommand } from '../../control-command-rules.ts';
import { parseInput, usageFault } from '../../parse-input.ts';

describeControlCommand({
  command: 'time-limit',
  words: ['email.send', '50s', '1m'],
  input: { task: 'email.send', softTimeLimitMs: 50_000, timeLimitMs: 60_000 },
  reply: { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 60_000 },
  piped: ['email.send', '', '60000'],
  head: ['TASK', 'SOFT', 'HARD'],
  row: ['email.send', '-', '1m'],
});

test('0 and none remove a limit', async () => {
  const input = { softTimeLimitMs: null, timeLimitMs: null };
  expect(await parseInput('control', 'time-limit', 'email.send', '0', 'none')).toMatchObject(input);
});

test('says what is wrong', async () => {
  expect(await usageFault('control', 'time-limit', 'a', '1m', '50s')).toMatch(
    /SOFT must be shorter than HARD, 50000 ms/,
  );
  expect(await usageFault('control', 'time-limit', 'a', '5', '1m')).toMatch(/SOFT must be a duration/);
  expect(await usageFault('control', 'time-limit', 'a', '5s')).toMatch(/missing/);
});
