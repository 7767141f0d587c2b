import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { promoteJobs } from '../../src/ops/promote-jobs.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

test('scheduled jobs start now, and are kept with when they were due', async () => {
  const broker = new FakeBroker().store('mail', { id: 's', state: 'SCHEDULED', dueAt: 9 }, { id: 'w' });
  const keeper = new KeptJobs();
  const options = { session: createFakeSession(broker), yes: true, createKeeper: () => keeper };
  expect(await execute(promoteJobs, { where: 'queue:mail' }, options)).toMatchObject({
    result: { matched: 1, changed: 1, failedCount: 0 },
  });
  expect(await broker.queue('mail').readJob('s')).toMatchObject({ state: 'PENDING', dueAt: null });
  expect(keeper.kept).toMatchObject([{ record: { id: 's', dueAt: 9 }, after: { queue: 'mail', place: 'waiting' } }]);
});

test('one that waits already is named', async () => {
  const broker = new FakeBroker().store('mail', { id: 'w' });
  expect(await execute(promoteJobs, { ids: ['w'] }, { session: createFakeSession(broker), yes: true })).toMatchObject({
    result: { changed: 0, failed: [{ id: 'w', message: 'it is waiting in its queue' }] },
  });
});
