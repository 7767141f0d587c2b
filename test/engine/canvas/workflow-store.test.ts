import { expect, test } from 'vitest';
import { type GraphHead, jobIdOf, WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import type { WorkflowNode } from '../../../src/engine/core/workflow/graph.ts';
import { createFakeState } from '../broker/fake-state.ts';

const DAY_MS = 86_400_000;

function setUp() {
  let now = 0;
  const state = createFakeState(() => now);
  const read: string[] = [];
  const watched = {
    ...state,
    read: (key: string) => {
      read.push(key);
      return state.read(key);
    },
  };
  return { state, read, store: new WorkflowStore(watched), pass: (ms: number) => (now += ms) };
}

const createNodes = (count: number, more: Partial<WorkflowNode> = {}): WorkflowNode[] =>
  Array.from(
    { length: count },
    (_, at) => ({ kind: 'task', task: `t${at}`, queue: 'q', args: [], ...more }) as WorkflowNode,
  );

const createHead = (more: Partial<GraphHead> = {}): GraphHead => ({
  ...{ workflow: 'w', graph: 'w', entry: 0, exit: 0, size: 1, createdAt: 0, queue: 'q', base: {} },
  ...more,
});

const toGraph = (nodes: readonly WorkflowNode[]) => ({ nodes, entry: 0, exit: 0 });

test('a graph of many records is read node by node, each record once', async () => {
  const { store, read } = setUp();
  const nodes = createNodes(1000);
  await store.save(createHead({ size: 1000 }), toGraph(nodes));
  const graph = await store.open('w');
  for (const at of [0, 1, 127, 128, 999, 998]) expect(await graph?.node(at)).toEqual(nodes[at]);
  expect(read).toHaveLength(4);
  await expect(graph?.node(1000)).rejects.toMatchObject({ code: 'WORKFLOW_GONE' });
});

test('a graph that is written already stays as it is', async () => {
  const { store } = setUp();
  await store.save(createHead(), toGraph(createNodes(1)));
  await store.save(createHead({ createdAt: 5 }), toGraph(createNodes(1, { task: 'other' } as never)));
  const graph = await store.open('w');
  expect(graph?.head.createdAt).toBe(0);
  expect(await graph?.node(0)).toMatchObject({ task: 't0' });
});

test('a graph that is not there yet is found later', async () => {
  const { store } = setUp();
  expect(await store.open('w')).toBeUndefined();
  await store.save(createHead(), toGraph(createNodes(1)));
  expect(await store.open('w')).toBeDefined();
});

test('a workflow is kept for thirty days, and one that has succeeded as long as it is told', async () => {
  const { state, store, pass } = setUp();
  await store.save(createHead(), toGraph(createNodes(200)));
  await store.save(createHead({ workflow: 'v', graph: 'v' }), toGraph(createNodes(1)));
  await store.keepFor('w', DAY_MS);
  pass(DAY_MS);
  expect(await state.list('workflow/w/')).toEqual([]);
  pass(28 * DAY_MS);
  expect(await state.list('workflow/v/')).toHaveLength(2);
  pass(DAY_MS);
  expect(await state.list('workflow/v/')).toEqual([]);
});

test('a workflow with callbacks is not forgotten with its result, since they may lead on for longer', async () => {
  const { state, store, pass } = setUp();
  await store.save(createHead(), toGraph(createNodes(1, { links: [1] } as never)));
  await store.keepFor('w', DAY_MS);
  pass(2 * DAY_MS);
  expect(await state.list('workflow/w/')).toHaveLength(2);
});

test('the graphs of a workflow are listed with its own first, and members that were added in their order', async () => {
  const { store } = setUp();
  const outer = { graph: 'w', node: 0, isMember: true } as const;
  await store.save(createHead({ graph: 'a+1', outer }), toGraph(createNodes(1)));
  await store.save(createHead(), toGraph(createNodes(1)));
  expect((await store.listGraphs('w')).map(({ head }) => head.graph)).toEqual(['w', 'a+1']);
  await store.noteAdded({ workflow: 'w', graph: 'w', group: 3, order: '2' }, 'second');
  await store.noteAdded({ workflow: 'w', graph: 'w', group: 3, order: '1' }, 'first');
  expect(await store.listAdded('w', 'w', 3)).toEqual(['first', 'second']);
  expect(await store.listAdded('w', 'w', 4)).toEqual([]);
  await store.forget('w');
  expect(await store.listGraphs('w')).toEqual([]);
});

test('the only step of a workflow has its id, any other step one that is always the same', () => {
  const single = createHead({ queue: null });
  expect(jobIdOf(single, 0)).toBe('w');
  expect(jobIdOf(single, 1)).not.toBe('w');
  expect(jobIdOf(createHead(), 0)).toBe(jobIdOf(createHead({ createdAt: 9 }), 0));
  expect(jobIdOf(createHead(), 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
