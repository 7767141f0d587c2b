import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { AppOptions } from '../../../src/engine/app/contract.ts';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
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
    app.task('quick', { expires: '1m', resultExpires: '1h' }, (n: number) => n);
    await sum.map([[1], [2]]).delay();
    await sum
      .starmap([[[1]]])
      .set({ queue: 'mine' })
      .delay();
    await app.signature('tq.map', ['quick', [1]]).delay();
    expect(broker.sent).toMatchObject([
      { task: 'tq.map', args: ['sum', [[1], [2]]], queue: 'sums' },
      { task: 'tq.starmap', args: ['sum', [[[1]]]], queue: 'mine' },
      { task: 'tq.map', queue: 'default', meta: { expiresAt: expect.any(Number), resultExpiresMs: 3_600_000 } },
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

describe('what the jobs of a workflow have in common', () => {
  test('is given with it, below what a step says', async () => {
    const { add, broker } = setUp();
    const signature = chain(add.s(1, 2).set({ headers: { b: '2' } }), add.s(3));
    await signature.apply({ requestId: 'r', headers: { a: '1', b: '1' } });
    const [whole, first] = broker.sent;
    expect(whole?.meta).toMatchObject({ requestId: 'r', headers: { a: '1', b: '1' } });
    expect(first?.meta).toMatchObject({ requestId: 'r', rootId: whole?.id, headers: { a: '1', b: '2' } });
    expect(first?.meta).not.toHaveProperty('parentId');
  });

  test('comes from the task that sends it', async () => {
    const { add, broker } = setUp();
    const running = { id: 'caller', rootId: 'root', requestId: 'request' } as TaskContext;
    await runInContext(running, () => chain(add.s(1, 2), add.s(3)).delay());
    const common = { rootId: 'root', parentId: 'caller', requestId: 'request' };
    expect(broker.sent.map(({ meta }) => meta)).toMatchObject([common, common]);
  });

  test('is what all may have, and nothing else', async () => {
    const { add, broker } = setUp();
    const signature = chain(add.s(1, 2), add.s(3));
    await expect(signature.apply({ requestID: 'r' } as object)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
      message: 'a workflow has no option "requestID"; did you mean "requestId"?',
    });
    await expect(signature.apply({ requestId: '' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(signature.apply({ headers: { a: 1 } } as object)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(broker.sent).toEqual([]);
  });
});

describe('the value that a workflow is entered with', () => {
  test('comes first in each of its first steps', async () => {
    const { app, add, broker } = setUp();
    await group([add.s(1), chain(add.s(2), add.s(3)), add.si(8, 9)]).delay(5);
    expect(broker.sent.map(({ args }) => args)).toEqual([[], [5, 1], [5, 2], [8, 9]]);
    await app.signature('other').pipe(app.signature('next')).apply({}, null);
    expect(broker.sent.at(-1)?.args).toEqual([null]);
  });
});

describe('what is checked before anything is sent', () => {
  const input = z.object({ n: z.number() });

  test('the arguments of first and of immutable steps, by the schemas of their tasks', async () => {
    const { app, add, broker, opened } = setUp();
    const count = app.task('count', { input }, ({ n }) => n);
    const wrong = { n: 'x' } as never;
    const refusal = { code: 'INVALID_ARGUMENTS', message: expect.stringContaining('input.n') };
    await expect(chain(count.s(wrong), add.s(1)).delay()).rejects.toMatchObject(refusal);
    await expect(chain(add.s(1, 2), count.si(wrong)).delay()).rejects.toMatchObject(refusal);
    await expect(chain(add.s(1, 2), add.s(1).link(count.si(wrong))).delay()).rejects.toMatchObject(refusal);
    await expect(group([chain(count.s(), add.s(1))]).delay(wrong)).rejects.toMatchObject(refusal);
    await expect(count.s(wrong).delay()).rejects.toMatchObject(refusal);
    await expect(group([count.map([{ n: 1 }, wrong])]).delay()).rejects.toMatchObject(refusal);
    await expect(count.map([wrong]).delay()).rejects.toMatchObject(refusal);
    await expect(group([count.chunks([[{ n: 1 }], [wrong]], 1)]).delay()).rejects.toMatchObject(refusal);
    expect([broker.sent, opened]).toEqual([[], []]);
  });

  test('not those that another step is going to give', async () => {
    const { app, add, broker } = setUp();
    const count = app.task('count', { input }, ({ n }) => n);
    await chain(add.s(1, 2), count.s() as never).delay();
    await chord([add.s(1, 2)], count.s() as never).delay();
    await chain(count.s({ n: 1 }), add.s(3)).delay();
    expect(broker.flows).toHaveLength(3);
  });

  test('the queues of all steps', async () => {
    const { add, broker } = setUp({ queues: ['default', 'sums'] });
    await expect(chain(add.s(1, 2), add.s(3).set({ queue: 'smus' })).delay()).rejects.toMatchObject({
      code: 'UNDECLARED_QUEUE',
      message: 'the app declares no queue "smus"; did you mean "sums"?',
    });
    expect(broker.sent).toEqual([]);
  });

  test('the size of each step', async () => {
    const { app, add, broker } = setUp({ payloadLimit: 100 });
    const large = app.signature('large', ['x'.repeat(100)]);
    await expect(chain(add.s(1, 2), large).delay()).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(broker.sent).toEqual([]);
  });

  test('that the queues of all steps have the priorities that are wished for', async () => {
    const { add, sum, broker } = setUp({ queues: ['default', 'sums', { name: 'high', priorities: true }] });
    const late = chain(add.s(1, 2), group([add.s(1)]), sum.s().set({ priority: 3 }));
    await expect(late.delay()).rejects.toMatchObject({
      code: 'PRIORITIES_OFF',
      message: expect.stringContaining('queue "sums" has no priorities'),
    });
    expect(broker.sent).toEqual([]);
    await chain(add.s(1, 2).set({ queue: 'high' }), add.s(3).set({ queue: 'high', priority: 7 })).delay();
    expect(broker.queue('high').priorities).toBe(true);
    expect(broker.sent.map(({ task, priority }) => [task, priority])).toEqual([
      ['tq.workflow', 7],
      ['add', 0],
    ]);
  });
});

describe('a signature that was stored', () => {
  test('is sent by the app that it is given to', async () => {
    const { app, add, broker } = setUp();
    const text = JSON.stringify(chain(add.s(1, 2), add.s(3)));
    await signatureFrom(JSON.parse(text), app).delay();
    await app.sendSignature(signatureFrom(JSON.parse(text)));
    expect(broker.flows.map((jobs) => jobs.map(({ job }) => job.task))).toEqual([
      ['tq.workflow', 'add'],
      ['tq.workflow', 'add'],
    ]);
  });

  test('belongs to no app without that, and is sent with another one that does', async () => {
    const { app, add, broker } = setUp();
    const stored = signatureFrom<number, number>(JSON.parse(JSON.stringify(add.s(3))));
    await expect(stored.delay(1)).rejects.toMatchObject({
      code: 'INVALID_SIGNATURE',
      message: 'cannot send a signature that belongs to no app',
      next: 'call app.sendSignature(signature), or read it with signatureFrom(json, app)',
    });
    await chain(add.s(1, 2), stored).delay();
    await signatureFrom<unknown, number>(add.si(1, 2).toJSON()).pipe(app.signature('next')).delay();
    expect(broker.flows).toHaveLength(2);
  });
});

describe('a workflow that a task brings in', () => {
  test('is compiled without anything being connected, also one of another copy of the package', () => {
    const { app, add, opened } = setUp();
    const signature = chain(add.s(1, 2), add.s(3));
    const graph = app.compileHere(signature);
    expect(graph).toMatchObject({ entry: 0, exit: 1, nodes: [{ task: 'add', next: 1 }, { args: [3] }] });
    expect(app.compileHere({ toJSON: () => signature.toJSON() })).toEqual(graph);
    expect(() => app.compileHere({ toJSON: () => ({ kind: 'other' }) })).toThrow(
      expect.objectContaining({ code: 'INVALID_SIGNATURE' }),
    );
    expect(opened).toEqual([]);
  });
});

test('a broker that is away when the flow is added says so, and the workflow can be sent again', async () => {
  const { add, broker } = setUp();
  const addFlow = broker.addFlow.bind(broker);
  broker.addFlow = () => Promise.reject(new Error('away'));
  const signature = chain(add.s(1, 2), add.s(3));
  await expect(signature.delay()).rejects.toThrow('away');
  broker.addFlow = addFlow;
  await signature.delay();
  expect(broker.flows).toHaveLength(1);
});
