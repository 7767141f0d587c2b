import { describe, expect, test } from 'vitest';
import type { FlowJob } from '../../../src/engine/broker/port.ts';
import { inMemory, planEntry, planWorkflow } from '../../../src/engine/canvas/entering.ts';
import { fitPriorities } from '../../../src/engine/canvas/step-priorities.ts';
import { type GraphHead, jobIdOf, type StoredGraph } from '../../../src/engine/canvas/workflow-store.ts';
import type { GroupNode, TaskNode, WorkflowNode } from '../../../src/engine/core/workflow/graph.ts';

const NOW = 1_900_000_000_000;
const WORKFLOW = '01930000-0000-7000-8000-000000000001';

const step = (task: string, fields: Partial<TaskNode> = {}): TaskNode => ({
  kind: 'task',
  task,
  queue: 'default',
  args: [],
  ...fields,
});
const group = (members: number[], fields: Partial<GroupNode> = {}): GroupNode => ({
  kind: 'group',
  members,
  onError: 'fail',
  rest: 'leave',
  ...fields,
});

function graphOf(nodes: WorkflowNode[], head: Partial<GraphHead> = {}): StoredGraph {
  const size = nodes.length;
  const own = { workflow: WORKFLOW, graph: WORKFLOW, entry: 0, exit: size - 1, size, createdAt: NOW, queue: 'default' };
  return inMemory({ ...own, base: {}, ...head }, nodes);
}

const noOther = async (): Promise<undefined> => undefined;
const enter = (graph: StoredGraph, place: number, value?: unknown): Promise<FlowJob[]> =>
  planEntry(graph, place, { now: NOW, openGraph: noOther, ...(value !== undefined && { input: { value } }) });

/** Task, parent and whether it waits, of each planned job. */
function outline(jobs: readonly FlowJob[]): unknown[] {
  const names = new Map(jobs.map(({ job }) => [job.id, job.task]));
  names.set(WORKFLOW, 'whole');
  return jobs.map(({ job, hasChildren }) => [
    job.task,
    job.parent === undefined ? null : `${names.get(job.parent.id) ?? job.parent.id} ${job.parent.onDead}`,
    hasChildren,
  ]);
}

describe('who waits for a step', () => {
  // 0 a →1 · 1 group [2, 3] →5 · 2 b · 3 c →4 · 4 d · 5 e
  const nodes: WorkflowNode[] = [
    step('a', { next: 1 }),
    group([2, 3], { next: 5 }),
    step('b', { within: 1 }),
    step('c', { within: 1, next: 4 }),
    step('d', { within: 1 }),
    step('e', { joins: 1 }),
  ];

  test('the whole waits for the first step, and for the body of a group', async () => {
    expect(outline(await planWorkflow(graphOf(nodes), { now: NOW }))).toEqual([
      ['tq.workflow', null, true],
      ['a', 'whole wait', false],
    ]);
    expect(outline(await enter(graphOf(nodes), 1, 7))).toEqual([
      ['e', 'whole wait', true],
      ['b', 'e start', false],
      ['c', 'e start', false],
    ]);
  });

  test('the body waits for every step of a member, not the first alone', async () => {
    const [job] = await enter(graphOf(nodes), 4, 1);
    expect(job?.job.parent).toEqual({
      queue: 'default',
      id: jobIdOf(graphOf(nodes).head, 5),
      onDead: 'start',
    });
  });

  test.each([['ignore'], ['collect']] as const)(
    'a body that takes it that members die (%s) waits for all',
    async (onError) => {
      const own = [group([1], { next: 2, onError }), step('b', { within: 0 }), step('e', { joins: 0 })];
      expect(outline(await enter(graphOf(own), 0))).toEqual([
        ['e', 'whole wait', true],
        ['b', 'e wait', false],
      ]);
    },
  );

  test('of a group without a body it is what waits for the group', async () => {
    // 0 group [1, 3] →5, its first member a group [2] without a body
    const nested = [
      group([1, 3], { next: 4 }),
      group([2], { within: 0 }),
      step('b', { within: 1 }),
      step('c', { within: 0 }),
      step('e', { joins: 0 }),
    ];
    expect(outline(await enter(graphOf(nested), 0))).toEqual([
      ['e', 'whole wait', true],
      ['b', 'e start', false],
      ['c', 'e start', false],
    ]);
    expect(outline(await enter(graphOf(nested), 2))).toEqual([
      ['b', `${jobIdOf(graphOf(nested).head, 4)} start`, false],
    ]);
  });

  test('bodies within bodies come parents first, each waiting for its own members', async () => {
    const nested = [
      group([1, 5], { next: 6 }),
      group([2, 3], { within: 0, next: 4 }),
      step('b', { within: 1 }),
      step('c', { within: 1 }),
      step('inner', { within: 0, joins: 1 }),
      step('d', { within: 0 }),
      step('outer', { joins: 0 }),
    ];
    expect(outline(await planWorkflow(graphOf(nested), { now: NOW }))).toEqual([
      ['tq.workflow', null, true],
      ['outer', 'whole wait', true],
      ['inner', 'outer start', true],
      ['b', 'inner start', false],
      ['c', 'inner start', false],
      ['d', 'outer start', false],
    ]);
  });

  test('nobody waits for callbacks, but the body of a callback does for its members', async () => {
    const own = [
      step('a', { links: [1] }),
      group([2], { next: 3, aside: true }),
      step('b', { within: 1, aside: true }),
      step('c', { joins: 1, aside: true }),
    ];
    expect(outline(await enter(graphOf(own), 1, 1))).toEqual([
      ['c', null, true],
      ['b', 'c start', false],
    ]);
  });

  test('nobody waits for the only step of a workflow, which has its id', async () => {
    const graph = graphOf([step('a', { links: [1] }), step('b', { aside: true })], { queue: null, exit: 0 });
    const jobs = await planWorkflow(graph, { now: NOW });
    expect(outline(jobs)).toEqual([['a', null, false]]);
    expect(jobs[0]?.job.id).toBe(WORKFLOW);
  });
});

describe('an empty group', () => {
  test('has no jobs, and the whole that has no other is a plain job', async () => {
    const graph = graphOf([group([])], { exit: 0 });
    expect(outline(await planWorkflow(graph, { now: NOW }))).toEqual([['tq.workflow', null, false]]);
    expect(await enter(graph, 0)).toEqual([]);
  });

  test('with a body adds the body as a plain job, also where only groups within it are empty', async () => {
    const empty = [group([], { next: 1 }), step('e', { joins: 0 })];
    expect(outline(await enter(graphOf(empty), 0))).toEqual([['e', 'whole wait', false]]);
    const deep = [
      group([1, 2], { next: 3 }),
      group([], { within: 0 }),
      group([], { within: 0 }),
      step('e', { joins: 0 }),
    ];
    expect(outline(await enter(graphOf(deep), 0))).toEqual([['e', 'whole wait', false]]);
  });
});

describe('a graph that a running job brought in', () => {
  const outer = graphOf([group([1], { next: 2 }), step('b', { within: 0 }), step('e', { joins: 0 })]);
  const openGraph = async (id: string): Promise<StoredGraph | undefined> => (id === WORKFLOW ? outer : undefined);
  const member = (graph: string): StoredGraph =>
    graphOf([step('x')], { graph: 'added', queue: null, outer: { graph, node: 0, isMember: true } });

  test('in place of its own value is waited for by that job, which fails with it', async () => {
    const nodes = [step('x', { next: 1 }), group([2], { next: 3 }), step('y', { within: 1 }), step('z', { joins: 1 })];
    const inner = graphOf(nodes, { graph: 'replaced', outer: { graph: WORKFLOW, node: 1 } });
    const [job] = await planEntry(inner, 0, { now: NOW, openGraph });
    expect(job?.job.parent).toEqual({ queue: 'default', id: 'replaced', onDead: 'start' });
    expect(job?.job.meta.workflow).toEqual({ id: WORKFLOW, node: 0, graph: 'replaced' });
    expect(outline(await planEntry(inner, 1, { now: NOW, openGraph }))).toEqual([
      ['z', 'replaced start', true],
      ['y', 'z start', false],
    ]);
  });

  test('in place of the value of a job that was in no workflow is waited for until nothing of it runs', async () => {
    const own = graphOf([step('x')], { workflow: 'alone', graph: 'alone' });
    expect((await enter(own, 0))[0]?.job).toMatchObject({
      parent: { queue: 'default', id: 'alone', onDead: 'wait' },
      meta: { workflow: { id: 'alone', node: 0, last: true } },
    });
  });

  test('as one more member of a group is waited for by what waits for the members', async () => {
    const [job] = await planEntry(member(WORKFLOW), 0, { now: NOW, openGraph });
    expect(job?.job.parent).toEqual({ queue: 'default', id: jobIdOf(outer.head, 2), onDead: 'start' });
    const bare = graphOf([group([1]), step('b', { within: 0 })]);
    const [other] = await planEntry(member(WORKFLOW), 0, { now: NOW, openGraph: async () => bare });
    expect(other?.job.parent).toEqual({ queue: 'default', id: WORKFLOW, onDead: 'wait' });
  });

  test('needs the one around it, WORKFLOW_GONE without', async () => {
    const entry = { now: NOW, openGraph: noOther };
    await expect(planEntry(member('lost'), 0, entry)).rejects.toMatchObject({ code: 'WORKFLOW_GONE' });
    await expect(enter(outer, 9)).rejects.toMatchObject({ code: 'WORKFLOW_GONE' });
  });
});

describe('what a step is given', () => {
  const jobOf = async (node: TaskNode, value?: unknown) =>
    (await enter(graphOf([step('z', { next: 1 }), node]), 1, value))[0]?.job;

  test('the value comes before its arguments, unless they are immutable or there is none', async () => {
    expect((await jobOf(step('a', { args: [1] }), 5))?.args).toEqual([5, 1]);
    expect((await jobOf(step('a', { args: [1], immutable: true }), 5))?.args).toEqual([1]);
    expect((await jobOf(step('a', { args: [1] })))?.args).toEqual([1]);
    const none = await planEntry(graphOf([step('a')]), 0, {
      now: NOW,
      openGraph: noOther,
      input: { value: undefined },
    });
    expect(none[0]?.job.args).toEqual([null]);
  });

  test('a fan-in has its own arguments alone, and says that it joins', async () => {
    const [body] = await enter(graphOf([group([], { next: 1 }), step('e', { joins: 0, args: ['own'] })]), 0, 5);
    expect(body?.job.args).toEqual(['own']);
    expect(body?.job.meta.workflow).toEqual({ id: WORKFLOW, node: 1, last: true, joins: true });
  });

  test('its options, with times from when it is entered', async () => {
    const options = {
      countdownMs: 50,
      expiresMs: 100,
      softTimeLimitMs: 1,
      timeLimitMs: 2,
      retry: { max: 1 },
      priority: 3,
    };
    const job = await jobOf(step('a', { options: { ...options, resultExpiresMs: 9, ignoreResult: true } }));
    expect(job).toMatchObject({ createdAt: NOW, delayMs: 50, priority: 3, ignoreResult: true });
    expect(job?.meta).toMatchObject({
      expiresAt: NOW + 100,
      softTimeLimitMs: 1,
      timeLimitMs: 2,
      retry: { max: 1 },
      resultExpiresMs: 9,
    });
    expect((await jobOf(step('a', { options: { dueAt: NOW + 9, expiresAt: NOW + 20 } })))?.delayMs).toBe(9);
    expect(await jobOf(step('a', { options: { dueAt: NOW - 9 } }))).not.toHaveProperty('delayMs');
  });

  test('what all of the workflow have in common, with its own headers before those', async () => {
    const base = { requestId: 'r', rootId: 'root', parentId: 'caller', headers: { a: '1', b: '1' } };
    const graph = graphOf([step('a', { options: { headers: { b: '2' } } })], { base });
    const [whole, first] = await planWorkflow(graph, { now: NOW, priority: 4 });
    expect(whole?.job).toMatchObject({
      id: WORKFLOW,
      priority: 4,
      meta: { ...base, workflow: { node: null, joins: true } },
    });
    expect(first?.job.meta).toMatchObject({ ...base, headers: { a: '1', b: '2' } });
    const [later] = await planEntry(graph, 0, { now: NOW, leader: 'before', openGraph: noOther });
    expect(later?.job.meta.parentId).toBe('before');
    expect((await enter(graphOf([step('a')]), 0))[0]?.job.meta).toEqual({
      rootId: WORKFLOW,
      workflow: { id: WORKFLOW, node: 0, last: true },
    });
  });

  test('it is the last when nothing follows it and nobody is called back', async () => {
    const isLast = async (fields: Partial<TaskNode>) => (await jobOf(step('a', fields)))?.meta.workflow?.last === true;
    expect(await isLast({})).toBe(true);
    expect(await isLast({ links: [], linkErrors: [] })).toBe(true);
    expect(await isLast({ next: 0 })).toBe(false);
    expect(await isLast({ links: [0] })).toBe(false);
    expect(await isLast({ linkErrors: [0] })).toBe(false);
  });
});

test('a group of 10,000 is entered at once', async () => {
  const count = 10_000;
  const members = Array.from({ length: count }, (_, index) => index + 1);
  const nodes = [
    group(members, { next: count + 1 }),
    ...members.map(() => step('m', { within: 0 })),
    step('e', { joins: 0 }),
  ];
  const jobs = await enter(graphOf(nodes), 0, 1);
  expect(jobs).toHaveLength(count + 1);
  expect(new Set(jobs.map(({ job }) => job.id)).size).toBe(count + 1);
});

describe('priorities', () => {
  const jobs = [
    { queue: 'with', hasChildren: false, job: { id: '1', task: 'a', args: [], meta: {}, createdAt: 0, priority: 5 } },
    { queue: 'with', hasChildren: false, job: { id: '2', task: 'a', args: [], meta: {}, createdAt: 0 } },
    {
      queue: 'without',
      hasChildren: false,
      job: { id: '3', task: 'a', args: [], meta: {}, createdAt: 0, priority: 5 },
    },
    { queue: 'without', hasChildren: false, job: { id: '4', task: 'a', args: [], meta: {}, createdAt: 0 } },
  ];

  test('each job of a queue that has them gets one, no other keeps one, and each queue is asked once', async () => {
    const asked: string[] = [];
    const refused: string[] = [];
    const hasPriorities = async (queue: string) => {
      asked.push(queue);
      return queue === 'with';
    };
    const fitted = await fitPriorities(jobs, hasPriorities, ({ job }) => refused.push(job.id));
    expect(fitted.map(({ job }) => job.priority)).toEqual([5, 0, undefined, undefined]);
    expect([asked, refused]).toEqual([['with', 'without'], ['3']]);
  });
});
