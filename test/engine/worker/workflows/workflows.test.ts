import { describe, expect, test } from 'vitest';
import { WorkflowStore } from '../../../../src/engine/canvas/workflow-store.ts';
import { createError } from '../../../../src/engine/core/errors.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import type { TaskNode } from '../../../../src/engine/core/workflow/graph.ts';
import { defineTask, type TaskDefinition } from '../../../../src/engine/task/definition.ts';
import { Workflows } from '../../../../src/engine/worker/workflows/workflows.ts';
import { FakeBroker } from '../fake-broker.ts';
import { FakeJob } from '../fake-job.ts';
import { createFakeClock, recordLog } from '../recorded.ts';

const SUCCEEDED: Outcome = { kind: 'succeeded', result: 7 };
const AWAY = createError('BROKER_UNAVAILABLE', { url: 'fake://', doing: 'sending', reason: 'away', causes: '' });

/** A chain of two steps, and the job of the first. */
async function setUp({ isStored = true }: { readonly isStored?: boolean } = {}) {
  const broker = new FakeBroker();
  const log = recordLog();
  const once = defineTask('once', { delivery: 'at-most-once' }, async () => 7);
  const workflows = new Workflows({
    ...{ worker: 'worker-1', broker, clock: createFakeClock(), logger: log.logger, hooks: {}, keepResultSeconds: 60 },
    tasks: new Map([['once', once as unknown as TaskDefinition]]),
  });
  const step = (task: string, more: Partial<TaskNode> = {}): TaskNode => ({
    kind: 'task',
    task,
    queue: 'q',
    args: [],
    ...more,
  });
  const nodes = [step('first', { next: 1 }), step('second')];
  const head = { workflow: 'w', graph: 'w', entry: 0, exit: 1, size: 2, createdAt: 0, queue: 'q', base: {} };
  if (isStored) await new WorkflowStore(broker.state).save(head, { nodes, entry: 0, exit: 1 });
  const jobOf = (task: string): FakeJob =>
    new FakeJob({ id: 'j', task, queue: 'q', meta: { workflow: { id: 'w', node: 0 } } });
  return { broker, log, workflows, jobOf };
}

describe('a worker between two steps of a workflow', () => {
  test('adds what follows before it says that the step has succeeded', async () => {
    const { broker, workflows, jobOf } = await setUp();
    expect(await workflows.perform(jobOf('first'), async () => SUCCEEDED)).toBe(SUCCEEDED);
    expect(broker.sent).toMatchObject([{ task: 'second', args: [7], queue: 'q', parent: { id: 'w', queue: 'q' } }]);
  });

  test('adds nothing for a step that is to run again', async () => {
    const { broker, workflows, jobOf } = await setUp();
    expect(await workflows.perform(jobOf('first'), async () => ({ kind: 'released' }))).toEqual({ kind: 'released' });
    expect(broker.sent).toEqual([]);
  });

  test('waits for a broker that is away, says so once, and goes on when it is back', async () => {
    const { broker, log, workflows, jobOf } = await setUp();
    broker.failures.add = AWAY;
    const ended = workflows.perform(jobOf('first'), async () => SUCCEEDED);
    await expect.poll(() => log.messages.length).toBe(1);
    expect(log.messages[0]).toContain('waits for the broker');
    delete broker.failures.add;
    expect(await ended).toBe(SUCCEEDED);
    expect(broker.sent).toHaveLength(1);
    expect(log.messages).toHaveLength(1);
  });

  test('hands the job back when it must end while the broker is away', async () => {
    const { broker, log, workflows, jobOf } = await setUp();
    broker.failures.add = AWAY;
    const ended = workflows.perform(jobOf('first'), async () => SUCCEEDED);
    await expect.poll(() => log.messages.length).toBe(1);
    workflows.abandon();
    expect(await ended).toEqual({ kind: 'released' });
  });

  test('makes a job that must not run twice a dead letter instead of handing it back', async () => {
    const { broker, log, workflows, jobOf } = await setUp();
    broker.failures.add = AWAY;
    const ended = workflows.perform(jobOf('once'), async () => SUCCEEDED);
    await expect.poll(() => log.messages.length).toBe(1);
    workflows.abandon();
    expect(await ended).toMatchObject({ kind: 'dead', error: { code: 'NOT_RUN_AGAIN' } });
  });

  test('makes a step whose workflow is forgotten a dead letter that says so, so that nobody waits in vain', async () => {
    const { workflows, jobOf } = await setUp({ isStored: false });
    const ended = await workflows.perform(jobOf('first'), async () => SUCCEEDED);
    expect(ended).toMatchObject({ kind: 'dead', error: { code: 'WORKFLOW_GONE' } });
  });

  test('keeps what a step failed with, also where its callbacks cannot be added', async () => {
    const { log, workflows, jobOf } = await setUp({ isStored: false });
    const dead: Outcome = { kind: 'dead', error: { name: 'Error', message: 'broken', code: null, stack: null } };
    expect(await workflows.perform(jobOf('first'), async () => dead)).toBe(dead);
    expect(log.messages).toEqual(['the callbacks of a failed job could not be added']);
  });

  test('goes on without who waits, when that was removed', async () => {
    const { broker, log, workflows, jobOf } = await setUp();
    const { addFlow } = broker;
    let tries = 0;
    broker.addFlow = async (jobs) => {
      tries += 1;
      if (tries === 1) throw createError('PARENT_MISSING', { id: 'x', parent: 'w' });
      await addFlow.call(broker, jobs);
    };
    expect(await workflows.perform(jobOf('first'), async () => SUCCEEDED)).toBe(SUCCEEDED);
    expect(broker.sent).toMatchObject([{ task: 'second' }]);
    expect(broker.sent[0]).not.toHaveProperty('parent');
    expect(log.messages).toEqual(['nobody waits for the workflow any more; it goes on']);
  });
});
