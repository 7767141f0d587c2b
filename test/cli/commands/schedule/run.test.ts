import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';
import { storeEntries } from '../../stored-entries.ts';

test('takes a name, and whether to wait', async () => {
  expect(await parseInput('schedule', 'run', 'a')).toEqual({ name: 'a', wait: undefined, timeoutMs: undefined });
  expect(await parseInput('schedule', 'run', 'a', '--wait', '--timeout', '5s')).toEqual({
    ...{ name: 'a', wait: true, timeoutMs: 5000 },
  });
  expect(await usageFault('schedule', 'run')).toMatch(/missing required argument/);
});

test('prints the id of the job, and with --wait its result', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 't', every: '1h' } });
  const session = createFakeSession(broker);
  const { exitCode, stdout } = await run(['schedule', 'run', 'a'], { session });
  const [id] = [...broker.queue('default').jobs.keys()];
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${id}\n` });
  const json = await run(['schedule', 'run', 'a', '--json'], { session });
  expect(JSON.parse(json.stdout)).toMatchObject({ entry: 'a', task: 't', queue: 'default', state: 'PENDING' });
  const waited = await run(['schedule', 'run', 'a', '--wait', '--timeout', '1ms', '--json'], { session });
  expect(JSON.parse(waited.stdout)).toMatchObject({ task: 't', state: 'PENDING', attempts: 0 });
  expect(waited.exitCode).toBe(4);
});
