import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import { deriveStepId } from '../../../src/engine/core/workflow/step-id.ts';
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

  test('a member that keeps no result gives its value to what waits for it', async () => {
    const { app, add, sum } = await setUp();
    const quiet = app.task('quiet', { ignoreResult: true }, (n: number) => n);
    const members = [add.s(1, 2).set({ ignoreResult: true }), chain(add.s(1, 1), quiet.s())] as const;
    const sent = await Promise.all([group(members).delay(), chord(members, sum.s()).delay()]);
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([[3, 2], 5]);
  });

  test('a body that is to start later waits for its time when its members have ended', async () => {
    const { app, add, sum } = await setUp();
    const result = await chord([add.s(1, 2)], sum.s().set({ countdown: '1h' })).delay();
    const body = app.result(deriveStepId(result.id, 2), bench.queue);
    await expect.poll(() => body.state(), { timeout: 20_000 }).toBe('SCHEDULED');
    expect(await result.state()).toBe('BLOCKED');
  });

  test('a task that is in no group cannot add to it', async () => {
    const { grow, add } = await setUp();
    const alone = await grow.s(1).delay();
    await expect(alone.get(WAIT)).rejects.toMatchObject({ cause: { code: 'NO_GROUP' } });
    const first = await chain(grow.s(1), add.s(1)).delay();
    await expect(first.get(WAIT)).rejects.toThrow('is in no group');
  });

  test('a task that runs in a child process replaces itself, and adds to its group', async () => {
    const module = new URL('./workflow-tasks.ts', import.meta.url);
    const { replace, add, grow } = await setUp({ pool: 'prefork', module, concurrency: 1 });
    const sent = await Promise.all([
      replace.s(10).delay(),
      chain(replace.s(10), add.s(1)).delay(),
      group([grow.s(2), add.s(1, 2)]).delay(),
    ]);
    expect(await Promise.all(sent.map((result) => result.get(WAIT)))).toEqual([23, 24, [2, 3, 100, 101]]);
  });
});
