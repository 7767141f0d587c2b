import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { describeChoice } from '../../job-choice-rules.ts';
import { usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

describeChoice('jobs move', 'any', { argv: ['--to', 'slow'], input: { to: 'slow' } });

test('the queue must be named', async () => {
  expect(await usageFault('jobs', 'move', 'a')).toMatch(/no queue to move jobs to/);
});

test('it says how many went', async () => {
  const broker = new FakeBroker().store('mail', { id: 'w' });
  const ran = await run(['jobs', 'move', 'w', '--to', 'slow', '--yes'], { session: createFakeSession(broker) });
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'moved 1 of 1 job\n' });
  expect(broker.queue('slow').jobs.has('w')).toBe(true);
});
