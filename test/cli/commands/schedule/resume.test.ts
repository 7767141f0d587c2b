import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { storeEntries } from '../../stored-entries.ts';

test('takes names, a pattern, or all', async () => {
  expect(await parseInput('schedule', 'resume', 'a')).toEqual({ names: ['a'] });
  expect(await parseInput('schedule', 'resume', '--where', '?')).toEqual({ where: '?' });
  expect(await usageFault('schedule', 'resume')).toMatch(/no schedule entry/);
});

test('says when each fires next, and which was not paused', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 't', every: '1h', enabled: false }, b: { task: 't', every: '1h' } });
  const { stdout, stderr } = await run(['schedule', 'resume', 'a', 'b'], { session: createFakeSession(broker) });
  expect(stdout).toBe('a\ttrue\t2031-05-01T13:00:00.000Z\nb\ttrue\t2031-05-01T13:00:00.000Z\n');
  expect(stderr).toBe('schedule entry "b" was not paused\n');
});
