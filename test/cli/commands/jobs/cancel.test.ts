import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { describeChoice } from '../../job-choice-rules.ts';
import { run } from '../../run-fake.ts';

describeChoice('jobs cancel', 'any');

function setup() {
  const broker = new FakeBroker().store('mail', { id: 'w' }, { id: 'a', state: 'STARTED' });
  return { broker, session: createFakeSession(broker) };
}

test('it says what was removed, names what was left alone, and ends with 1', async () => {
  const { session } = setup();
  const ran = await run(['jobs', 'cancel', 'w', 'a', '--yes'], { session });
  expect(ran).toMatchObject({ exitCode: 1, stdout: 'removed 1 of 2 jobs\n' });
  expect(ran.stderr).toContain('a: it is running now\n');
});

test('as JSON', async () => {
  const { session } = setup();
  const ran = await run(['jobs', 'cancel', '-Q', 'mail', '--yes', '--json'], { session });
  expect(JSON.parse(ran.stdout)).toMatchObject({ matched: 1, changed: 1, failed: [], failedCount: 0, stopped: null });
  expect(ran.exitCode).toBe(0);
});

test('ids come on stdin too', async () => {
  const { broker, session } = setup();
  const ran = await run(['jobs', 'cancel', '-', '--yes'], { session, stdin: 'w\n\n' });
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'removed 1 of 1 job\n' });
  expect(broker.queue('mail').jobs.has('w')).toBe(false);
});

test('an id that no queue holds ends with 3', async () => {
  const { session } = setup();
  expect(await run(['jobs', 'cancel', 'x', '--yes'], { session })).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('x: no queue holds it'),
  });
});

test('a query that no job fits is no failure', async () => {
  const { session } = setup();
  const ran = await run(['jobs', 'cancel', '--where', 'task:none', '--yes'], { session });
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'no job fits\n' });
});
