import { expect, test } from 'vitest';
import { WorkflowStore } from '../../src/engine/canvas/workflow-store.ts';
import { execute } from '../../src/ops/gate.ts';
import { revokeJobs } from '../../src/ops/revoke-jobs.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { task, writeGraph } from '../engine/canvas/written-graph.ts';

const createBroker = (): FakeBroker =>
  new FakeBroker().store('high', { id: 'a' }).store('low', { id: 'b' }, { id: '7' });

test('revokes what is found, in the name of who runs it', async () => {
  const broker = createBroker();
  const input = { ids: ['a', 'b', 'a'], terminate: true };
  const execution = await execute(revokeJobs, input, { session: createFakeSession(broker), yes: true });
  expect(execution).toMatchObject({
    result: {
      jobs: [
        { id: 'a', queue: 'high', happened: 'never started' },
        { id: 'b', queue: 'low', happened: 'never started' },
      ],
    },
  });
  expect(broker.queue('low').jobs.get('b')?.revoked?.by).toMatch(/./);
});

test('looks only into the queue that is named', async () => {
  const broker = createBroker();
  const run = (queue: string) =>
    execute(revokeJobs, { ids: ['7'], queue }, { session: createFakeSession(broker), yes: true });
  expect(await run('high')).toMatchObject({ result: { jobs: [{ happened: 'unknown' }] } });
  expect(await run('low')).toMatchObject({ result: { jobs: [{ happened: 'never started' }] } });
});

test('a number that two queues hold is not guessed, in a plan neither', async () => {
  const broker = createBroker().store('high', { id: '7' });
  const options = { session: createFakeSession(broker), dryRun: true };
  await expect(execute(revokeJobs, { ids: ['7'] }, options)).rejects.toMatchObject({ code: 'AMBIGUOUS_JOB' });
});

test('a session that may only read revokes nothing', async () => {
  const broker = createBroker();
  const asked = execute(revokeJobs, { ids: ['a'] }, { session: createFakeSession(broker), readOnly: true });
  await expect(asked).rejects.toMatchObject({ code: 'READ_ONLY' });
  expect(broker.changes).toEqual([]);
});

test('says how far it is', async () => {
  const ids = Array.from({ length: 1200 }, (_, index) => `job-${index}x`);
  const broker = new FakeBroker().store('high', ...ids.map((id) => ({ id })));
  const seen: unknown[] = [];
  await execute(
    revokeJobs,
    { ids },
    {
      session: createFakeSession(broker),
      yes: true,
      onProgress: (progress) => seen.push(progress),
    },
  );
  expect(seen).toEqual([500, 1000, 1200].map((done) => ({ done, total: 1200 })));
});

test('the id of a workflow stands for all of it that has not ended, in the plan and in what is done', async () => {
  const broker = createBroker();
  const written = writeGraph([task('one', { next: 1 }), task('two', { next: 2 }), task('three')]);
  const { graph: id } = written.head;
  await written.save(new WorkflowStore(broker.state));
  broker.store('default', { ...written.anchor(), state: 'BLOCKED' });
  broker.store('default', { ...written.jobOf(0), state: 'SUCCESS' }, { ...written.jobOf(1) });
  const session = createFakeSession(broker);
  const planned = await execute(revokeJobs, { ids: ['a', id] }, { session, dryRun: true });
  expect(planned).toMatchObject({
    plan: {
      summary: 'would revoke 3 jobs, all that has not ended of 1 workflow',
      count: 3,
      rows: [{ id: 'a' }, { id, task: 'tq.workflow', is: 'blocked' }, { id: written.idOf(1), is: 'waiting' }],
    },
  });
  expect(await execute(revokeJobs, { ids: ['a', id] }, { session, yes: true })).toMatchObject({
    result: {
      workflows: [id],
      jobs: [
        { id: 'a', happened: 'never started' },
        { id, happened: 'never started' },
        { id: written.idOf(1), happened: 'never started', state: 'REVOKED' },
      ],
    },
  });
  expect(broker.changes).toEqual(['revoke 1 of high', 'revoke 1 of default', 'revoke 1 of default']);
});

test('a workflow of which nothing is left to revoke is said to have finished', async () => {
  const broker = new FakeBroker();
  const written = writeGraph([task('one', { next: 1 }), task('two')]);
  const { graph: id } = written.head;
  await written.save(new WorkflowStore(broker.state));
  broker.store('default', { ...written.anchor(), state: 'SUCCESS' });
  const session = createFakeSession(broker);
  expect(await execute(revokeJobs, { ids: [id] }, { session, yes: true })).toMatchObject({
    result: { workflows: [id], jobs: [{ id, happened: 'had finished', state: 'SUCCESS' }] },
  });
});
