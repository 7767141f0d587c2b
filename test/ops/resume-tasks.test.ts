import { expect, test } from 'vitest';
import { encodeHeld, heldKey } from '../../src/engine/worker/admission/held-index.ts';
import { listPausedTasks } from '../../src/engine/worker/admission/paused-tasks.ts';
import { execute } from '../../src/ops/gate.ts';
import { resumeTasks } from '../../src/ops/resume-tasks.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

/** A paused task with held jobs in two queues. */
async function createBroker(count = 2): Promise<FakeBroker> {
  const broker = new FakeBroker();
  await broker.state.write('pause/task/a', JSON.stringify({ task: 'a', since: 5 }));
  for (const queue of ['high', 'low']) {
    for (let index = 0; index < count; index += 1) {
      const job = { id: `${queue}-${index}`, queue, task: 'a', createdAt: NOW + index };
      broker.store(queue, { ...job, state: 'SCHEDULED', dueAt: NOW + 1000 });
      await broker.state.write(heldKey(job, 'pause'), encodeHeld(job, null));
    }
  }
  broker.control.add('tq@a', { 'reload-pauses': { paused: [], unknown: [] } });
  return broker;
}

test('removes the record, tells the workers, and lets the held jobs of all queues go in their order', async () => {
  const broker = await createBroker();
  const done: number[] = [];
  const execution = await execute(
    resumeTasks,
    { tasks: ['a', 'b'] },
    { session: createFakeSession(broker), onProgress: (each) => done.push(each.done) },
  );
  expect(execution).toEqual({
    kind: 'done',
    result: {
      tasks: [
        { task: 'a', since: 5, letGo: 4 },
        { task: 'b', since: null, letGo: 0 },
      ],
      unconfirmed: [],
    },
  });
  expect(broker.changes).toEqual(['let go high-0, high-1 of high', 'let go low-0, low-1 of low']);
  expect(await listPausedTasks(broker.state)).toEqual([]);
  expect(await broker.state.size('held/')).toBe(0);
  expect(done).toEqual([2, 4]);
});

test('lets many jobs go in batches, the last ones first, so that the oldest end at the head', async () => {
  const broker = await createBroker(2500);
  const progress: unknown[] = [];
  await execute(
    resumeTasks,
    { tasks: ['a'] },
    { session: createFakeSession(broker), onProgress: (each) => progress.push(each) },
  );
  const firsts = broker.changes.map((change) => /let go (\S+?),/.exec(change)?.[1]);
  expect(firsts.slice(0, 3)).toEqual(['high-1500', 'high-500', 'high-0']);
  expect(progress.at(-1)).toEqual({ done: 5000, total: null });
});

test('a dry run counts the jobs that are held', async () => {
  const broker = await createBroker();
  expect(await execute(resumeTasks, { tasks: ['a'] }, { session: createFakeSession(broker), dryRun: true })).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would resume 1 task and let go 4 jobs',
      count: 0,
      rows: [{ task: 'a', since: 5, held: 4 }],
    },
  });
  expect(await listPausedTasks(broker.state)).toHaveLength(1);
  expect(broker.changes).toEqual([]);
});
