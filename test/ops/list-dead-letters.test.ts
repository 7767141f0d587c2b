import { expect, test } from 'vitest';
import { listDeadLetters } from '../../src/ops/list-dead-letters.ts';
import { READING } from '../../src/ops/operation.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const dead = (id: string, finishedAt: number) => ({
  ...{ id, finishedAt, state: 'FAILURE' as const, args: [{ to: id }], attempts: 3 },
  error: { name: 'TypeError', message: 'no', code: null, stack: 'TypeError: no\n    at x' },
});

test('the latest death of all queues comes first, with its arguments and without its stack', async () => {
  const broker = new FakeBroker().store('mail', dead('a', 10), dead('b', 30), { id: 'w' }).store('slow', dead('c', 20));
  const session = createFakeSession(broker);
  const { jobs, hasMore } = await listDeadLetters.run(session, { limit: 2 }, READING);
  expect(hasMore).toBe(true);
  expect(jobs).toMatchObject([
    { id: 'b', queue: 'mail', args: [{ to: 'b' }], attempts: 3, error: { message: 'no', stack: null } },
    { id: 'c', queue: 'slow', fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) },
  ]);
  const all = await listDeadLetters.run(session, { limit: 10, queues: ['mail'] }, READING);
  expect(all).toMatchObject({ hasMore: false, jobs: [{ id: 'b' }, { id: 'a' }] });
});
