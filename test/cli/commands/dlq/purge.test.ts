import { expect, test } from 'vitest';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { describeChoice } from '../../job-choice-rules.ts';
import { run } from '../../run-fake.ts';

describeChoice('dlq purge', 'dead');

test('a person sees what would go, and answers', async () => {
  const broker = new FakeBroker().store('mail', { id: 'd', state: 'FAILURE' });
  const session = createFakeSession(broker);
  const no = await run(['dlq', 'purge', '--all'], { session, answer: false });
  expect(no).toMatchObject({ exitCode: 1, questions: ['Go on?'] });
  expect(no.stderr).toContain('would remove 1 job');
  expect(broker.queue('mail').jobs.has('d')).toBe(true);
  const yes = await run(['dlq', 'purge', '--all'], { session, answer: true });
  expect(yes).toMatchObject({ exitCode: 0, stdout: 'removed 1 of 1 job\n' });
  expect(broker.queue('mail').jobs.has('d')).toBe(false);
});
