import { expect, test } from 'vitest';
import { countDeadLetters } from '../../src/ops/count-dead-letters.ts';
import { READING } from '../../src/ops/operation.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const dead = (id: string, message: string, finishedAt: number, task = 'email.send') => ({
  ...{ id, task, finishedAt, state: 'FAILURE' as const },
  error: { name: 'TypeError', message, code: null, stack: null },
});

function setup() {
  const broker = new FakeBroker()
    .store('mail', dead('a', 'no user 1', 10), dead('b', 'no user 22', 30), dead('c', 'no user 3', 20, 'email.welcome'))
    .store('slow', dead('d', 'no user 4', 40), { id: 'w' });
  return createFakeSession(broker);
}

test('the same error of the same task in the same queue is one kind, however its numbers differ', async () => {
  const counted = await countDeadLetters.run(setup(), {}, READING);
  expect(counted).toMatchObject({ total: 4, stopped: null });
  expect(counted.groups).toMatchObject([
    { error: 'TypeError: no user #', task: 'email.send', queue: 'mail', count: 2, firstAt: 10, lastAt: 30 },
    expect.objectContaining({ count: 1 }),
    expect.objectContaining({ count: 1 }),
  ]);
  expect(new Set(counted.groups.map(({ fingerprint }) => fingerprint)).size).toBe(1);
});

test('a query, a fingerprint and queues narrow it', async () => {
  const session = setup();
  expect(await countDeadLetters.run(session, { queues: ['slow'] }, READING)).toMatchObject({ total: 1 });
  expect(await countDeadLetters.run(session, { where: 'task:email.welcome' }, READING)).toMatchObject({ total: 1 });
  expect(await countDeadLetters.run(session, { fingerprint: '00000000' }, READING)).toMatchObject({ total: 0 });
});

test('asked to stop, it says that not all were counted', async () => {
  const stopped = { ...READING, signal: AbortSignal.abort() };
  expect(await countDeadLetters.run(setup(), {}, stopped)).toMatchObject({ stopped: 'it was asked to stop' });
});
