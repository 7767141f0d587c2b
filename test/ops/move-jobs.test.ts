import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { moveJobs } from '../../src/ops/move-jobs.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

test('jobs stay what they are in the other queue, and running ones stay where they are', async () => {
  const broker = new FakeBroker().store(
    'mail',
    { id: 'w' },
    { id: 's', state: 'SCHEDULED', dueAt: 9 },
    { id: 'd', state: 'FAILURE' },
    { id: 'a', state: 'STARTED' },
  );
  const keeper = new KeptJobs();
  const options = { session: createFakeSession(broker), yes: true, createKeeper: () => keeper };
  expect(await execute(moveJobs, { ids: ['w', 's', 'd', 'a'], to: 'slow' }, options)).toMatchObject({
    result: { matched: 4, changed: 3, failed: [{ id: 'a', message: 'it is running now' }] },
  });
  expect([...broker.queue('slow').jobs.values()]).toMatchObject([
    { id: 'w', state: 'PENDING', queue: 'slow' },
    { id: 's', state: 'SCHEDULED', dueAt: 9 },
    { id: 'd', state: 'FAILURE' },
  ]);
  expect(keeper.kept.map(({ after }) => after?.place)).toEqual(['waiting', 'scheduled', 'dead']);
  expect(await execute(moveJobs, { ids: ['w'], to: 'slow' }, options)).toMatchObject({
    result: { changed: 0, failed: [{ id: 'w', message: 'it is in that queue already' }] },
  });
});
