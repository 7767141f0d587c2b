import { expect, test } from 'vitest';
import { WorkflowStore } from '../../src/engine/canvas/workflow-store.ts';
import type { StoredError, StoredJob } from '../../src/engine/core/job.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { retryJobs } from '../../src/ops/retry-jobs.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { group, task, writeGraph } from '../engine/canvas/written-graph.ts';

const ERROR: StoredError = { name: 'TypeError', message: 'no\nmore', code: null, stack: null };
const BECAUSE: StoredError = { name: 'MemberFailed', message: 'because', code: 'MEMBER_FAILED', stack: null };

/** A chord of which two members are dead; the body and the whole failed for it. */
async function createBroker() {
  const written = writeGraph([
    group([1, 2, 3], { next: 4 }),
    task('a', { within: 0 }),
    task('b', { within: 0 }),
    task('c', { within: 0 }),
    task('body', { joins: 0 }),
  ]);
  const broker = new FakeBroker();
  await written.save(new WorkflowStore(broker.state));
  const put = (place: number, given: Partial<StoredJob>): void => {
    broker.store('default', { ...written.jobOf(place), ...given });
  };
  put(1, { state: 'FAILURE', error: ERROR });
  put(2, { state: 'SUCCESS' });
  put(3, { state: 'FAILURE', error: ERROR });
  put(4, { state: 'FAILURE', error: BECAUSE });
  broker.store('default', { ...written.anchor(), state: 'FAILURE', error: BECAUSE });
  return { broker, written };
}

const retry = (broker: FakeBroker, ids: readonly string[], options: Partial<GateOptions> = {}) =>
  execute(retryJobs, { ids }, { session: createFakeSession(broker), yes: true, ...options });

test('of a workflow, what failed by itself goes back first, then what failed for it, the whole last', async () => {
  const { broker, written } = await createBroker();
  const progress: number[] = [];
  const onProgress = ({ done }: { done: number }): number => progress.push(done);
  expect(await retry(broker, [written.head.graph], { onProgress })).toMatchObject({
    result: { matched: 4, changed: 4, failed: [], workflows: [written.head.graph] },
  });
  const order = [written.idOf(1), written.idOf(3), written.idOf(4), written.head.graph];
  expect(broker.changes.filter((change) => change.startsWith('reprocess'))).toEqual(
    order.map((id) => `reprocess ${id} of default`),
  );
  expect(progress).toEqual([1, 2, 3, 4]);
});

test('the plan counts what failed by itself and tells of the others', async () => {
  const { broker, written } = await createBroker();
  expect(await retry(broker, [written.head.graph], { dryRun: true })).toEqual({
    kind: 'planned',
    plan: {
      summary: 'would send 2 jobs back to work, and have 2 that failed because of them wait again',
      count: 2,
      rows: [
        { id: written.idOf(1), task: 'a', queue: 'default', error: 'TypeError: no' },
        { id: written.idOf(3), task: 'c', queue: 'default', error: 'TypeError: no' },
      ],
    },
  });
  expect(broker.changes).toEqual([]);
});

test('a dead letter goes back by its own id; what is none stays', async () => {
  const broker = new FakeBroker().store(
    'high',
    { id: 'dead', state: 'FAILURE', error: ERROR },
    { id: 'fine', state: 'SUCCESS' },
  );
  expect(await retry(broker, ['dead', 'fine', 'nobody', 'dead'])).toMatchObject({
    result: {
      matched: 3,
      changed: 1,
      failed: [
        { id: 'fine', message: 'it is no dead letter: its state is SUCCESS' },
        { id: 'nobody', message: 'no queue holds it' },
      ],
      workflows: [],
    },
  });
});

test('many dead letters are counted in the plan', async () => {
  const ids = Array.from({ length: 30 }, (_, index) => `job-${index}x`);
  const broker = new FakeBroker().store('high', ...ids.map((id) => ({ id, state: 'FAILURE', error: ERROR }) as const));
  expect(await retry(broker, ids, { dryRun: true })).toMatchObject({
    plan: { count: 30, rows: [{ task: 'email.send', queue: 'high', jobs: 30 }] },
  });
});

test('a workflow whose graph is forgotten cannot be retried', async () => {
  const written = writeGraph([task('a', { next: 1 }), task('b')]);
  const broker = new FakeBroker().store('default', { ...written.anchor(), state: 'FAILURE', error: BECAUSE });
  const { graph: id } = written.head;
  expect(await retry(broker, [id])).toMatchObject({
    result: { matched: 1, changed: 0, failed: [{ id, message: 'what its steps were is stored no more' }] },
  });
});
