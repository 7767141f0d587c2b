import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { listRevoked } from '../../src/ops/list-revoked.ts';
import { revokeJobs } from '../../src/ops/revoke-jobs.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('gives what the workers ended, and what waits to be filed away', async () => {
  const broker = new FakeBroker().store('high', { id: 'a' }, { id: 'b', state: 'SUCCESS' });
  broker.control.add('tq@a', { revoked: [{ id: 'x' }] });
  const session = createFakeSession(broker);
  await execute(revokeJobs, { ids: ['a', 'b'] }, { session, yes: true });
  const execution = await execute(listRevoked, { destinations: ['tq@a'] }, { session });
  expect(execution).toMatchObject({
    result: {
      answers: new Map([['tq@a', { ok: true, value: [{ id: 'x' }] }]]),
      silent: [],
      waiting: [{ id: 'a', phase: 'waiting' }],
    },
  });
  expect(broker.control.questions.at(-1)).toMatchObject({ command: 'revoked', destinations: ['tq@a'] });
});
