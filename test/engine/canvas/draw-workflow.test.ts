import { describe, expect, test } from 'vitest';
import { viewWorkflow } from '../../../src/engine/canvas/read-workflow.ts';
import { openWholeWorkflow } from '../../../src/engine/canvas/whole-workflow.ts';
import { WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import type { JobSummary } from '../../../src/engine/core/job.ts';
import type { JobState } from '../../../src/engine/core/state.ts';
import { JOIN_TASK, WORKFLOW_TASK } from '../../../src/engine/core/workflow/graph.ts';
import type { WorkflowStep, WorkflowView } from '../../../src/engine/core/workflow/workflow-view.ts';
import { createFakeState } from '../broker/fake-state.ts';
import { BEGUN_AT, group, summaryOf, task, type Written, writeGraph } from './written-graph.ts';

type States = Readonly<Record<number, JobState | Partial<JobSummary>>>;

/** The workflow as it looks when its jobs are in these states; `whole` is that of the job that stands for it. */
async function view(
  written: Written,
  states: States,
  { whole = 'BLOCKED', parts = [] }: { whole?: JobState | null; parts?: readonly [Written, States][] } = {},
): Promise<WorkflowView> {
  const store = new WorkflowStore(createFakeState());
  const jobs = new Map<string, JobSummary>();
  if (whole !== null)
    jobs.set(written.head.graph, summaryOf(written.head.graph, { task: WORKFLOW_TASK, state: whole }));
  for (const [graph, its] of [[written, states] as const, ...parts]) {
    await graph.save(store);
    const { outer } = graph.head;
    if (outer?.isMember === true) {
      const place = { workflow: graph.head.workflow, graph: outer.graph, group: outer.node };
      await store.noteAdded({ ...place, order: '000000/0' }, graph.head.graph);
    }
    for (const [place, given] of Object.entries(its)) {
      const id = graph.idOf(Number(place));
      jobs.set(id, summaryOf(id, typeof given === 'string' ? { state: given } : given));
    }
  }
  const workflow = await openWholeWorkflow(store, written.head.graph);
  if (workflow === undefined) throw new Error('it was not written');
  return viewWorkflow(workflow, jobs);
}

/** `chain STARTED [ a SUCCESS, b BLOCKED ]`: kind or task, state, parts; a role that is no step first. */
function draw({ kind, role, task: name, state, children }: WorkflowStep): string {
  const parts = children.length === 0 ? '' : ` [ ${children.map(draw).join(', ')} ]`;
  return `${role === 'step' ? '' : `${role}: `}${name ?? kind} ${state}${parts}`;
}

const CHAIN = writeGraph([task('a', { next: 1 }), task('b', { next: 2 }), task('c')]);

describe('a chain', () => {
  test.each<[string, States, JobState, string]>([
    ['has begun to wait', { 0: 'PENDING' }, 'BLOCKED', 'PENDING chain PENDING [ a PENDING, b BLOCKED, c BLOCKED ]'],
    [
      'waits for its time',
      { 0: 'SCHEDULED' },
      'BLOCKED',
      'SCHEDULED chain SCHEDULED [ a SCHEDULED, b BLOCKED, c BLOCKED ]',
    ],
    [
      'has done a step',
      { 0: 'SUCCESS', 1: 'PENDING' },
      'BLOCKED',
      'STARTED chain STARTED [ a SUCCESS, b PENDING, c BLOCKED ]',
    ],
    [
      'tries a step again',
      { 0: 'SUCCESS', 1: 'RETRY' },
      'BLOCKED',
      'STARTED chain STARTED [ a SUCCESS, b RETRY, c BLOCKED ]',
    ],
    [
      'has failed',
      { 0: 'SUCCESS', 1: 'FAILURE' },
      'FAILURE',
      'FAILURE chain FAILURE [ a SUCCESS, b FAILURE, c BLOCKED ]',
    ],
    [
      'was cancelled: what it has not reached is revoked too',
      { 0: 'SUCCESS', 1: 'REVOKED' },
      'REVOKED',
      'REVOKED chain REVOKED [ a SUCCESS, b REVOKED, c REVOKED ]',
    ],
    [
      'has succeeded',
      { 0: 'SUCCESS', 1: 'SUCCESS', 2: 'SUCCESS' },
      'SUCCESS',
      'SUCCESS chain SUCCESS [ a SUCCESS, b SUCCESS, c SUCCESS ]',
    ],
    [
      'keeps no result of steps that are over: what came after them says that they succeeded',
      { 2: 'STARTED' },
      'BLOCKED',
      'STARTED chain STARTED [ a SUCCESS, b SUCCESS, c STARTED ]',
    ],
    [
      'lost a job that nothing came after',
      { 0: 'SUCCESS' },
      'BLOCKED',
      'STARTED chain STARTED [ a SUCCESS, b UNKNOWN, c BLOCKED ]',
    ],
  ])('that %s', async (_, states, whole, drawn) => {
    const { state, tree } = await view(CHAIN, states, { whole });
    expect(`${state} ${draw(tree)}`).toBe(drawn);
  });

  test('has the times and the progress of its steps', async () => {
    const ended = { state: 'SUCCESS', startedAt: BEGUN_AT + 5, finishedAt: BEGUN_AT + 20, attempts: 2 } as const;
    const seen = await view(CHAIN, { 0: ended, 1: { state: 'STARTED', startedAt: BEGUN_AT + 30, worker: 'tq@a' } });
    expect(seen).toMatchObject({
      createdAt: BEGUN_AT,
      startedAt: BEGUN_AT + 5,
      finishedAt: null,
      progress: { done: 1, total: 3, states: { SUCCESS: 1, STARTED: 1, BLOCKED: 1 } },
    });
    expect(seen.tree.children).toMatchObject([{ attempts: 2, finishedAt: BEGUN_AT + 20 }, { worker: 'tq@a' }, {}]);
  });
});

// chain(a, group(b, chain(c, d)), e)
const CHORD = writeGraph([
  task('a', { next: 1 }),
  group([2, 3], { next: 5 }),
  task('b', { within: 1 }),
  task('c', { within: 1, next: 4 }),
  task('d', { within: 1 }),
  task('e', { joins: 1 }),
]);

describe('a chord', () => {
  test.each<[string, States, JobState, string]>([
    [
      'is not reached yet',
      { 0: 'STARTED' },
      'BLOCKED',
      'chain STARTED [ a STARTED, chord BLOCKED [ b BLOCKED, chain BLOCKED [ c BLOCKED, d BLOCKED ], body: e BLOCKED ] ]',
    ],
    [
      'has members that run',
      { 0: 'SUCCESS', 2: 'PENDING', 3: 'SUCCESS', 4: 'STARTED', 5: 'BLOCKED' },
      'BLOCKED',
      'chain STARTED [ a SUCCESS, chord STARTED [ b PENDING, chain STARTED [ c SUCCESS, d STARTED ], body: e BLOCKED ] ]',
    ],
    [
      'failed with a member',
      {
        0: 'SUCCESS',
        2: 'FAILURE',
        3: 'SUCCESS',
        4: 'STARTED',
        5: 'FAILURE',
      },
      'BLOCKED',
      'chain FAILURE [ a SUCCESS, chord FAILURE [ b FAILURE, chain STARTED [ c SUCCESS, d STARTED ], body: e FAILURE ] ]',
    ],
    [
      'is joined',
      { 0: 'SUCCESS', 2: 'SUCCESS', 3: 'SUCCESS', 4: 'SUCCESS', 5: 'STARTED' },
      'BLOCKED',
      'chain STARTED [ a SUCCESS, chord STARTED [ b SUCCESS, chain SUCCESS [ c SUCCESS, d SUCCESS ], body: e STARTED ] ]',
    ],
  ])('that %s', async (_, states, whole, drawn) => {
    expect(draw((await view(CHORD, states, { whole })).tree)).toBe(drawn);
  });

  test('counts its body and no group', async () => {
    const { progress } = await view(CHORD, { 0: 'SUCCESS', 2: 'SUCCESS', 3: 'FAILURE', 5: 'FAILURE' });
    expect(progress).toMatchObject({ done: 4, total: 5 });
  });
});

describe('a group', () => {
  test('that another group follows is joined by a task that nobody sees', async () => {
    const written = writeGraph([
      group([1, 2], { next: 3 }),
      task('a', { within: 0 }),
      task('b', { within: 0 }),
      task(JOIN_TASK, { joins: 0, next: 4 }),
      group([5]),
      task('c', { within: 4 }),
    ]);
    const { tree, progress } = await view(written, { 1: 'SUCCESS', 2: 'SUCCESS', 3: 'SUCCESS', 5: 'STARTED' });
    expect(draw(tree)).toBe('chain STARTED [ group SUCCESS [ a SUCCESS, b SUCCESS ], group STARTED [ c STARTED ] ]');
    expect(progress).toMatchObject({ done: 2, total: 3 });
  });

  test('that is empty has succeeded once it is reached', async () => {
    const written = writeGraph([task('a', { next: 1 }), group([])]);
    expect(draw((await view(written, { 0: 'STARTED' })).tree)).toContain('group BLOCKED');
    expect(draw((await view(written, { 0: 'SUCCESS' }, { whole: 'SUCCESS' })).tree)).toContain('group SUCCESS');
  });

  test('that collects errors succeeds with dead members', async () => {
    const written = writeGraph([
      group([1, 2], { onError: 'collect' }),
      task('a', { within: 0 }),
      task('b', { within: 0 }),
    ]);
    expect(draw((await view(written, { 1: 'FAILURE', 2: 'STARTED' })).tree)).toMatch(/^group STARTED/);
    expect(draw((await view(written, { 1: 'FAILURE', 2: 'SUCCESS' }, { whole: 'SUCCESS' })).tree)).toMatch(
      /^group SUCCESS/,
    );
  });

  test('lists what a running member added to it after its own', async () => {
    const written = writeGraph([group([1]), task('a', { within: 0 })]);
    const id = written.head.graph;
    const added = writeGraph([task('more', { next: 1 }), task('most')], {
      id: 'added-1',
      within: written,
      outer: { graph: id, node: 0, isMember: true },
    });
    const { tree, progress } = await view(written, { 1: 'SUCCESS' }, { parts: [[added, { 0: 'STARTED' }]] });
    expect(draw(tree)).toBe('group STARTED [ a SUCCESS, added: chain STARTED [ more STARTED, most BLOCKED ] ]');
    expect(progress).toMatchObject({ done: 1, total: 3 });
  });
});

describe('a job that was replaced', () => {
  test('is what took its place, and what follows waits for that', async () => {
    const written = writeGraph([task('a', { next: 1 }), task('b')]);
    const inner = writeGraph([task('x', { next: 1 }), task('y')], {
      id: written.idOf(0),
      within: written,
      outer: { graph: written.head.graph, node: 0 },
    });
    const { tree, progress } = await view(
      written,
      { 0: 'BLOCKED' },
      { parts: [[inner, { 0: 'SUCCESS', 1: 'STARTED' }]] },
    );
    expect(draw(tree)).toBe(
      'chain STARTED [ a STARTED [ replacement: chain STARTED [ x SUCCESS, y STARTED ] ], b BLOCKED ]',
    );
    expect(progress).toMatchObject({ done: 1, total: 4 });
  });
});

test('a job that nobody sent as a workflow and that replaced itself by one is the root of it', async () => {
  const store = new WorkflowStore(createFakeState());
  const inner = writeGraph([task('x', { next: 1 }), task('y')]);
  await inner.save(store);
  const { graph: id } = inner.head;
  const workflow = await openWholeWorkflow(store, id);
  if (workflow === undefined) throw new Error('it was not written');
  const own = summaryOf(id, { task: 'plain', state: 'BLOCKED', attempts: 1 });
  const jobs = new Map([own, summaryOf(inner.idOf(0), { state: 'STARTED' })].map((job) => [job.id, job]));
  const seen = viewWorkflow(workflow, jobs);
  expect(draw(seen.tree)).toBe('plain STARTED [ replacement: chain STARTED [ x STARTED, y BLOCKED ] ]');
  expect(seen).toMatchObject({ state: 'STARTED', tree: { id, attempts: 1 } });
});

describe('callbacks', () => {
  test('are drawn where they are called back from, and nobody counts them', async () => {
    const written = writeGraph([
      task('a', { next: 1, links: [2], linkErrors: [3] }),
      task('b', { linkErrors: [3] }),
      task('tell', { aside: true }),
      task('sorry', { aside: true }),
    ]);
    const { tree, progress } = await view(written, { 0: 'SUCCESS', 1: 'FAILURE', 2: 'SUCCESS', 3: 'PENDING' });
    expect(draw(tree)).toBe('chain FAILURE [ a SUCCESS [ link: tell SUCCESS ], b FAILURE, linkError: sorry PENDING ]');
    expect(progress).toMatchObject({ done: 2, total: 2 });
  });

  test('for errors stand below the innermost part that holds all who name them', async () => {
    const written = writeGraph([
      task('a', { next: 1 }),
      group([2, 3]),
      task('b', { within: 1, linkErrors: [4] }),
      task('c', { within: 1, linkErrors: [4, 5] }),
      task('both', { aside: true }),
      task('own', { aside: true }),
    ]);
    expect(draw((await view(written, { 0: 'STARTED' })).tree)).toBe(
      'chain STARTED [ a STARTED, group BLOCKED [ b BLOCKED, c BLOCKED [ linkError: own BLOCKED ], linkError: both BLOCKED ] ]',
    );
  });
});

describe('a workflow', () => {
  test('whose own job a worker is about to file away as revoked is revoked', async () => {
    const store = new WorkflowStore(createFakeState());
    await CHAIN.save(store);
    const workflow = await openWholeWorkflow(store, CHAIN.head.graph);
    if (workflow === undefined) throw new Error('it was not written');
    const { graph: id } = CHAIN.head;
    const own = summaryOf(id, { task: WORKFLOW_TASK, state: 'STARTED', revoked: { at: 1, by: null } });
    expect(viewWorkflow(workflow, new Map([[id, own]]))).toMatchObject({ state: 'REVOKED' });
  });

  test('of one step has the state of its job', async () => {
    const written = writeGraph([task('only')], { isSingle: true });
    const error = { name: 'Error', message: 'no', code: null, stack: null };
    const seen = await view(written, { 0: { state: 'FAILURE', error, finishedAt: BEGUN_AT + 1 } }, { whole: null });
    expect(seen).toMatchObject({ state: 'FAILURE', error, finishedAt: BEGUN_AT + 1, tree: { kind: 'task' } });
    expect(seen.tree.id).toBe(seen.id);
  });

  test('of whose jobs none is stored is unknown', async () => {
    expect(await view(CHAIN, {}, { whole: null })).toMatchObject({ state: 'UNKNOWN' });
  });

  test('is what its steps say when the job that stands for it is gone', async () => {
    expect(await view(CHAIN, { 2: 'SUCCESS' }, { whole: null })).toMatchObject({ state: 'SUCCESS' });
  });

  test('of fifty levels and one of ten thousand steps are drawn', async () => {
    const levels = Array.from({ length: 50 }, (_, level) =>
      group([level + 1], level === 0 ? {} : { within: level - 1 }),
    );
    const deep = writeGraph([...levels, task('leaf', { within: 49 })]);
    let depth = 0;
    for (let step = (await view(deep, {})).tree; step.children[0] !== undefined; step = step.children[0]) depth += 1;
    expect(depth).toBe(50);
    const long = writeGraph(
      Array.from({ length: 10_000 }, (_, place) => task('a', place < 9999 ? { next: place + 1 } : {})),
    );
    const { tree, progress } = await view(long, { 5000: 'STARTED' });
    expect(tree.children).toHaveLength(10_000);
    expect(progress).toMatchObject({ done: 5000, total: 10_000, states: { BLOCKED: 4999 } });
  });
});
