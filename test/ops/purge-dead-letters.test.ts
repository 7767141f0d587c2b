import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { purgeDeadLetters } from '../../src/ops/purge-dead-letters.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { KeptJobs } from './kept-jobs.ts';

const dead = (id: string, name: string) => ({
  id,
  state: 'FAILURE' as const,
  error: { name, message: 'no', code: null, stack: null },
});

test('dead letters that a query takes are kept and removed, and nothing else', async () => {
  const broker = new FakeBroker().store('mail', dead('a', 'TypeError'), dead('b', 'Error'), { id: 'w' });
  const keeper = new KeptJobs();
  const options = { session: createFakeSession(broker), yes: true, createKeeper: () => keeper };
  expect(await execute(purgeDeadLetters, { where: 'error~TypeError' }, options)).toMatchObject({
    result: { matched: 1, changed: 1, undo: 'op1' },
  });
  expect([...broker.queue('mail').jobs.keys()]).toEqual(['b', 'w']);
  expect(keeper.kept).toMatchObject([{ record: { id: 'a', place: 'dead', failure: 'no' }, after: null }]);
  expect(await execute(purgeDeadLetters, { all: true }, options)).toMatchObject({ result: { changed: 1 } });
  expect([...broker.queue('mail').jobs.keys()]).toEqual(['w']);
});

test('a job that waits is none', async () => {
  const broker = new FakeBroker().store('mail', { id: 'w' });
  const execution = await execute(purgeDeadLetters, { ids: ['w'] }, { session: createFakeSession(broker), yes: true });
  expect(execution).toMatchObject({
    result: { changed: 0, failed: [{ id: 'w', message: 'it is waiting in its queue' }] },
  });
});
