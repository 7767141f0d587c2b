import { expect, test } from 'vitest';
import { cancelWorkflow } from '../../../src/engine/canvas/cancel-workflow.ts';
import { WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import type { JobSummary } from '../../../src/engine/core/job.ts';
import type { RevokedJob } from '../../../src/engine/core/revocation.ts';
import type { JobState } from '../../../src/engine/core/state.ts';
import { WORKFLOW_TASK } from '../../../src/engine/core/workflow/graph.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { summaryOf, task, type Written, writeGraph } from './written-graph.ts';

/** A workflow whose jobs are in a map, and what each pass of the revocation asks for. */
async function setUp(written: Written) {
  const jobs = new Map<string, JobSummary>();
  const put = (id: string, state: JobState, name = 'work'): void => {
    jobs.set(id, summaryOf(id, { task: name, state }));
  };
  put(written.head.graph, 'BLOCKED', WORKFLOW_TASK);
  const store = new WorkflowStore(createFakeState());
  await written.save(store);
  const broker = {
    queue: () => ({ listSummaries: async (ids: readonly string[]) => ids.flatMap((id) => jobs.get(id) ?? []) }),
  };
  const passes: (readonly string[])[] = [];
  /** @param between what happens while a pass is under way */
  const cancel = async (between: (pass: number) => void = () => {}, id = written.head.graph) => {
    const revoke = async (ids: readonly string[]): Promise<{ jobs: RevokedJob[] }> => {
      passes.push(ids);
      const receipts = ids.map((one): RevokedJob => {
        const { queue, state } = jobs.get(one) ?? summaryOf(one);
        if (state !== 'STARTED') put(one, 'REVOKED');
        const happened = state === 'STARTED' ? 'ignored the signal' : 'never started';
        return { id: one, task: 'work', queue, happened, state: 'REVOKED', worker: null };
      });
      between(passes.length);
      return { jobs: receipts };
    };
    return await cancelWorkflow({ broker, store, revoke }, id);
  };
  return { store, put, cancel, passes };
}

const CHAIN = () => writeGraph([task('a', { next: 1 }), task('b', { next: 2 }), task('c')]);

test('the job that stands for the whole goes first, then what has not ended', async () => {
  const written = CHAIN();
  const { put, cancel, passes } = await setUp(written);
  put(written.idOf(0), 'SUCCESS');
  put(written.idOf(1), 'PENDING');
  await cancel();
  expect(passes).toEqual([[written.head.graph], [written.idOf(1)]]);
});

test('what a step that was about to end adds is revoked too, and what it replaces itself by', async () => {
  const written = CHAIN();
  const { store, put, cancel, passes } = await setUp(written);
  const inner = writeGraph([task('x')], {
    id: written.idOf(1),
    within: written,
    outer: { graph: written.head.graph, node: 1 },
  });
  put(written.idOf(0), 'STARTED');
  const writing: Promise<void>[] = [];
  await cancel((pass) => {
    if (pass === 2) {
      put(written.idOf(0), 'SUCCESS');
      put(written.idOf(1), 'PENDING');
    }
    if (pass === 3) {
      writing.push(inner.save(store));
      put(inner.idOf(0), 'PENDING');
    }
  });
  await Promise.all(writing);
  expect(passes).toEqual([[written.head.graph], [written.idOf(0)], [written.idOf(1)], [inner.idOf(0)]]);
});

test('a step that ignores the signal is asked once', async () => {
  const written = CHAIN();
  const { put, cancel, passes } = await setUp(written);
  put(written.idOf(0), 'STARTED');
  const reports = await cancel();
  expect(passes).toHaveLength(2);
  expect(reports?.flatMap(({ jobs }) => jobs)).toMatchObject([
    { happened: 'never started' },
    { happened: 'ignored the signal' },
  ]);
});

test('a workflow of which nothing is live is left alone, and one that nobody knows is none', async () => {
  const written = CHAIN();
  const { put, cancel, passes } = await setUp(written);
  put(written.head.graph, 'SUCCESS');
  expect(await cancel()).toEqual([]);
  expect(await cancel(undefined, 'nobody')).toBeUndefined();
  expect(passes).toEqual([]);
});
