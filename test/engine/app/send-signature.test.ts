import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { AppOptions } from '../../../src/engine/app/contract.ts';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import type { AnySignature } from '../../../src/engine/canvas/signature.ts';
import { signatureFrom } from '../../../src/engine/canvas/stored-signature.ts';
import { WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import { runInContext, type TaskContext } from '../../../src/engine/task/context.ts';
import { setUp as setUpApp } from './setup.ts';

function setUp(options: AppOptions = {}) {
  const parts = setUpApp(options);
  const add = parts.app.task('add', (a: number, b: number) => a + b);
  const sum = parts.app.task('sum', { queue: 'sums' }, (values: number[]) => values.length);
  return { ...parts, add, sum };
}

/** The tasks of each flow, each with the queue that it is in. */
const outline = ({ broker }: ReturnType<typeof setUp>): string[][] =>
  broker.flows.map((jobs) => jobs.map(({ queue, job }) => `${job.task} in ${queue}`));

describe('a signature of one task', () => {
  test('is a plain call, with its options and those of all', async () => {
    const { app, add, broker, clock } = setUp();
    const signature = add.s(1, 2).set({ countdown: '5s', headers: { a: '1' } });
    const result = await signature.apply({ requestId: 'r', headers: { a: '0', b: '2' } });
    expect(broker.flows).toEqual([]);
    expect(broker.sent).toMatchObject([
      { id: result.id, task: 'add', args: [1, 2], delayMs: 5000, createdAt: clock.now(), queue: 'default' },
    ]);
    expect(broker.sent[0]?.meta).toEqual({ requestId: 'r', headers: { a: '1', b: '2' } });
    expect([result.task, result.queue]).toEqual(['add', 'default']);
    await chain(app.signature('other', [3])).delay();
    expect(broker.sent[1]).toMatchObject({ task: 'other', args: [3], meta: {} });
  });

  test('is given what it is entered with, first', async () => {
    const { add, broker } = setUp();
    await add.s(2).delay(1);
    await add.si(5, 6).delay(1);
    expect(broker.sent.map(({ args }) => args)).toEqual([
      [1, 2],
      [5, 6],
    ]);
  });

  test('takes the options that say when it expires and is due as a call does', async () => {
    const { add, broker, clock } = setUp();
    const at = clock.now() + 1000;
    await add
      .s(1, 2)
      .set({ eta: at, expires: new Date(at + 5), retry: { max: 2, delay: '1s' } })
      .delay();
    await add.s(1, 2).set({ expires: '1m', softTimeLimit: 5, timeLimit: '1s', resultExpires: '1h' }).delay();
    expect(broker.sent[0]).toMatchObject({
      delayMs: 1000,
      meta: { expiresAt: at + 5, retry: { max: 2, delay: 1000 } },
    });
    expect(broker.sent[1]?.meta).toEqual({
      expiresAt: clock.now() + 60_000,
      softTimeLimitMs: 5,
      timeLimitMs: 1000,
      resultExpiresMs: 3_600_000,
    });
  });

  test('over items goes where its task does', async () => {
    const { app, sum, broker } = setUp();
    app.task('quick', { expires: '1m' }, (n: number) => n);
    await sum.map([[1], [2]]).delay();
    await sum
      .starmap([[[1]]])
      .set({ queue: 'mine' })
      .delay();
    await app.signature('tq.map', ['quick', [1]]).delay();
    expect(broker.sent).toMatchObject([
      { task: 'tq.map', args: ['sum', [[1], [2]]], queue: 'sums' },
      { task: 'tq.starmap', args: ['sum', [[[1]]]], queue: 'mine' },
      { task: 'tq.map', queue: 'default', meta: { expiresAt: expect.any(Number) } },
    ]);
  });
});

describe('a workflow', () => {
  test('is stored once, and begins with the job that stands for it and its first jobs in one flow', async () => {
    const given = setUp();
    const { add, sum, broker, clock } = given;
    const result = await chain(add.s(1, 2), group([add.s(1), add.s(2)]), sum.s()).delay();
    expect(outline(given)).toEqual([['tq.workflow in sums', 'add in default']]);
    expect([result.task, result.queue]).toEqual(['tq.workflow', 'sums']);
    const [whole, first] = broker.flows[0] ?? [];
    expect(whole).toMatchObject({ hasChildren: true, job: { id: result.id, args: [] } });
    expect(first?.job).toMatchObject({ args: [1, 2], parent: { queue: 'sums', id: result.id, onDead: 'wait' } });
    const stored = await new WorkflowStore(broker.state).open(result.id);
    expect(stored?.head).toEqual({
      workflow: result.id,
      graph: result.id,
      entry: 0,
      exit: 4,
      size: 5,
      createdAt: clock.now(),
      queue: 'sums',
      base: {},
    });
    expect(await stored?.node(4)).toEqual({ kind: 'task', task: 'sum', queue: 'sums', args: [], joins: 1 });
  });

  test('of one task with a callback has no job that stands for it, and its id', async () => {
    const given = setUp();
    const { add, broker } = given;
    const result = await add.s(1, 2).link(add.s(3)).delay();
    expect(outline(given)).toEqual([['add in default']]);
    expect(broker.sent[0]).toMatchObject({ id: result.id, meta: { workflow: { id: result.id, node: 0 } } });
    expect([result.task, result.queue]).toEqual(['add', 'default']);
    expect((await new WorkflowStore(broker.state).open(result.id))?.head.queue).toBeNull();
  });

  test('that is a group stands where its first step goes; an empty one where calls go that say nothing', async () => {
    const given = setUp();
    const { add, sum, broker } = given;
    await group([sum.s([1]), add.s(1, 2)]).delay();
    await given.app.sendSignature(group([]));
    await chord([], sum.s()).delay();
    expect(outline(given)).toEqual([
      ['tq.workflow in sums', 'sum in sums', 'add in default'],
      ['tq.workflow in default'],
      ['tq.workflow in sums', 'sum in sums'],
    ]);
    expect(broker.flows.at(-1)?.map(({ hasChildren }) => hasChildren)).toEqual([true, false]);
  });
});
