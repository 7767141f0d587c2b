import { expect, test } from 'vitest';
import { editDeadLetters } from '../../src/ops/edit-dead-letters.ts';
import { execute } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('dead letters are changed and stay dead, other jobs stay as they are', async () => {
  const broker = new FakeBroker().store(
    'mail',
    { id: 'd', state: 'FAILURE', args: [{ to: 'a' }] },
    { id: 'w', args: [{}] },
  );
  const options = { session: createFakeSession(broker), yes: true };
  expect(await execute(editDeadLetters, { ids: ['d', 'w'], patch: { to: 'b' } }, options)).toMatchObject({
    result: { matched: 2, changed: 1, failed: [{ id: 'w', message: 'it is waiting in its queue' }] },
  });
  expect(await broker.queue('mail').readJob('d')).toMatchObject({ state: 'FAILURE', args: [{ to: 'b' }] });
});
