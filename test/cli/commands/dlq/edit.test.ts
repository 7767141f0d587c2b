import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { describeChoice } from '../../job-choice-rules.ts';
import { run } from '../../run-fake.ts';

describeChoice('dlq edit', 'dead', { argv: ['--patch', '{"to":"b"}'], input: { patch: { to: 'b' } } });

test('it says how many were changed', async () => {
  const broker = new FakeBroker().store('mail', { id: 'd', state: 'FAILURE', args: [{ to: 'a' }] });
  const ran = await run(['dlq', 'edit', '--all', '--patch', '{"to":"b"}', '--yes'], {
    session: createFakeSession(broker),
  });
  expect(ran).toMatchObject({ exitCode: 0, stdout: 'changed 1 of 1 job\n' });
});
