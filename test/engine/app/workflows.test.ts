import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import { jobIdOf, WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerWorkflowTasks } from './workflow-tasks.ts';

const WAIT = { timeout: '20s' } as const;

describe.each(brokersUnderTest())('workflows on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  const setUp = async (options: Parameters<LiveBench['startWorker']>[1] = {}) => {
    const app = bench.createApp();
    const tasks = registerWorkflowTasks(app);
    await bench.startWorker(app, { concurrency: 4, ...options });
    return { app, ...tasks };
  };

  test('a chain, a group and a chord give what their steps do', async () => {
    const { add, sum, echo } = await setUp();
    const sent = await Promise.all([
      chain(add.s(1, 2), add.s(10), echo.s()).delay(),
      group([add.s(1, 2), chain(add.s(3, 4), add.s(5))]).delay(),
      chord([add.s(1, 2), add.s(3, 4)], sum.s()).delay(),
      chain(add.s(1, 1), group([add.s(10), add.s(20)]), group([sum.s(), echo.s()]), echo.s()).delay(),
      group([add.s(1), add.si(2, 3)]).delay(100),
    ]);
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([
      13,
      [3, 12],
      10,
      [34, [12, 22]],
      [101, 5],
    ]);
  });

  test('what is empty gives an empty list, and a body is entered with it', async () => {
    const { app, sum, add, echo } = await setUp();
    const sent = await Promise.all([
      app.sendSignature(group([])),
      chord([], sum.s()).delay(),
      group([group([]), add.s(1, 2)]).delay(),
      chain(add.s(1, 2), group([])).delay(),
      chain(group([group([])]), echo.s()).delay(),
      chain(group([]), group([echo.s()])).delay(),
    ]);
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([[], 0, [[], 3], [], [[]], [[]]]);
  });

  test('a task over items gives the list of its results', async () => {
    const { add, echo, sum } = await setUp();
    const sent = await Promise.all([
      sum.map([[1, 2], [3]]).delay(),
      add
        .starmap([
          [1, 2],
          [3, 4],
        ])
        .delay(),
      chain(
        add.chunks(
          [
            [1, 1],
            [2, 2],
            [3, 3],
          ],
          2,
        ),
        echo.s(),
      ).delay(),
    ]);
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([
      [3, 3],
      [3, 7],
      [[2, 4], [6]],
    ]);
  });

  test('by policy a dead member fails what follows, is left out, or is told of', async () => {
    const { add, fail, echo } = await setUp();
    const members = [add.s(1, 2), fail.s()] as const;
    const failed = await chord(members, echo.s()).delay();
    const ignored = await chord(members, echo.s(), { onError: 'ignore' }).delay();
    const collected = await group(members, { onError: 'collect' }).delay();
    await expect(failed.get(WAIT)).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringContaining('"fail"'),
    });
    expect(await ignored.get(WAIT)).toEqual([3]);
    expect(await collected.get(WAIT)).toMatchObject([
      { status: 'fulfilled', value: 3 },
      { status: 'rejected', reason: { task: 'fail', message: expect.stringContaining('it was to fail') } },
    ]);
  });

  test('callbacks are called with the value, or once with what failed', async () => {
    const { app, add, fail, note } = await setUp();
    const store = new WorkflowStore((await app.broker()).state);
    /** What the callback at this place of the workflow gave. */
    const readCallback = async (workflow: string, place: number): Promise<unknown> => {
      const graph = await store.open(workflow);
      if (graph === undefined) throw new Error('the graph is not there');
      return await expect
        .poll(() => app.result(jobIdOf(graph.head, place), bench.queue).job(), { timeout: 20_000 })
        .toMatchObject({ state: 'SUCCESS' })
        .then(() => app.result(jobIdOf(graph.head, place), bench.queue).get());
    };
    const one = await add.s(1, 2).link(note.s('value')).delay();
    expect(await one.get(WAIT)).toBe(3);
    expect(await readCallback(one.id, 1)).toEqual({ value: 3 });
    const both = await group([fail.s(), fail.s()]).link(note.s('never')).linkError(note.s('failed')).delay();
    await expect(both.get(WAIT)).rejects.toMatchObject({ code: 'TASK_FAILED' });
    // 0 group · 1 and 2 its members · 3 what joins them · 4 the one callback · 5 the other
    expect(await readCallback(both.id, 5)).toMatchObject({ failed: { error: { code: 'MEMBER_FAILED' } } });
  });

  test.each(['async', 'prefork'] as const)('a task replaces itself and adds to its group (pool %s)', async (pool) => {
    const module = new URL('./workflow-tasks.ts', import.meta.url);
    const { replace, add, grow } = await setUp(pool === 'prefork' ? { pool, module, concurrency: 1 } : {});
    const sent = await Promise.all([
      replace.s(10).delay(),
      chain(replace.s(10), add.s(1)).delay(),
      group([grow.s(2), add.s(1, 2)]).delay(),
    ]);
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([23, 24, [2, 3, 100, 101]]);
  });
});
