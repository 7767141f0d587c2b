import { expect, test } from 'vitest';
import { READING } from '../../src/ops/operation.ts';
import { showDeadLetter } from '../../src/ops/show-dead-letter.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('a dead letter is shown, and what is none is refused with its state', async () => {
  const error = { name: 'TypeError', message: 'no', code: null, stack: null };
  const broker = new FakeBroker().store('mail', { id: 'd', state: 'FAILURE', error }, { id: 'w' });
  const session = createFakeSession(broker);
  expect(await showDeadLetter.run(session, { id: 'd' }, READING)).toMatchObject({ id: 'd', state: 'FAILURE', error });
  await expect(showDeadLetter.run(session, { id: 'w' }, READING)).rejects.toMatchObject({
    code: 'NOT_DEAD_LETTER',
    message: expect.stringContaining('PENDING'),
  });
  await expect(showDeadLetter.run(session, { id: 'x' }, READING)).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
});
