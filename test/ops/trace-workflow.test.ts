import { expect, test } from 'vitest';
import { WorkflowStore } from '../../src/engine/canvas/workflow-store.ts';
import { execute } from '../../src/ops/gate.ts';
import { traceWorkflow } from '../../src/ops/trace-workflow.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { task, writeGraph } from '../engine/canvas/written-graph.ts';

const trace = (broker: FakeBroker, input: object) =>
  execute(traceWorkflow, input, { session: createFakeSession(broker) });

test('a workflow is found by its own id when the job that stands for it is gone', async () => {
  const broker = new FakeBroker();
  const written = writeGraph([task('a', { next: 1 }), task('b')]);
  await written.save(new WorkflowStore(broker.state));
  broker.store('default', { ...written.jobOf(1), state: 'STARTED' });
  expect(await trace(broker, { id: written.head.graph })).toMatchObject({
    result: { asked: written.head.graph, state: 'STARTED', progress: { done: 1, total: 2 } },
  });
});

test('a job whose workflow is forgotten is shown alone', async () => {
  const written = writeGraph([task('a', { next: 1 }), task('b')]);
  const broker = new FakeBroker().store('default', { ...written.jobOf(0), state: 'SUCCESS' });
  const id = written.idOf(0);
  expect(await trace(broker, { id })).toMatchObject({
    result: { id, asked: id, tree: { kind: 'task', children: [] } },
  });
  expect(await trace(broker, { id, queue: 'default' })).toMatchObject({ result: { id } });
});

test('an id that nobody knows is an error', async () => {
  await expect(trace(new FakeBroker(), { id: 'x' })).rejects.toMatchObject({ code: 'UNKNOWN_JOB', exitCode: 3 });
});
