import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import { TaskFailed, TaskRevoked, type TqError } from '../../../src/engine/core/errors.ts';
import { context } from '../../../src/engine/task/context.ts';
import { Ignore, Reject } from '../../../src/engine/task/exceptions.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from '../app/live-app.ts';

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let url: string;
  let bench: LiveBench;
  /** Steps that fail now. */
  let broken: Set<string>;
  let ran: string[];
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
    broken = new Set();
    ran = [];
  });
  afterEach(() => bench.close());

  function defineTasks(app: App) {
    return {
      /** Gives its name, or what it is given with its name behind. */
      step: app.task('step', async (given: string, name?: string): Promise<string> => {
        const own = name ?? given;
        ran.push(own);
        if (broken.has(own)) throw new Reject(`${own} is broken`);
        return name === undefined ? given : `${given}.${name}`;
      }),
      join: app.task('join', async (given: readonly unknown[], mark?: string): Promise<string> => {
        ran.push('join');
        return given.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(mark ?? '+');
      }),
      skip: app.task('skip', async (): Promise<string> => {
        throw new Ignore('not today');
      }),
      told: app.task('told', async (what: unknown): Promise<void> => {
        ran.push(`told ${JSON.stringify(what)}`);
      }),
    };
  }

  /** Sends a signature whose types say nothing, since its parts' do not. */
  const getValue = async (signature: unknown): Promise<unknown> =>
    await (await (signature as { delay(): Promise<{ get(): Promise<unknown> }> }).delay()).get();

  const settled = async (app: App): Promise<void> => {
    const broker = await app.broker();
    await vi.waitUntil(
      async () => {
        const { waiting, active, scheduled } = await broker.queue(bench.queue).counts();
        return waiting + active + scheduled === 0;
      },
      { timeout: 20_000 },
    );
  };

  /** The job where a workflow failed. */
  const readFailed = async (sent: { error(): Promise<{ message: string } | null> }): Promise<string> =>
    /its member "step" \(job (\S+)\)/.exec((await sent.error())?.message ?? '')?.[1] ?? '';

  test('a dead letter that is retried leads its chain on, and the workflow succeeds', async () => {
    const app = bench.createApp();
    const { step } = defineTasks(app);
    broken.add('b');
    await bench.startWorker(app);
    const sent = await chain(step.s('a'), step.s('b'), step.s('c')).delay();
    await expect(sent.get()).rejects.toThrow(TaskFailed);
    expect(await sent.error()).toMatchObject({
      code: 'MEMBER_FAILED',
      message: expect.stringContaining('b is broken'),
    });
    const broker = await app.broker();
    expect(await broker.queue(bench.queue).counts()).toMatchObject({ dead: 1 });
    broken.clear();
    expect(await broker.queue(bench.queue).reprocess(await readFailed(sent))).toBe(true);
    await vi.waitUntil(async () => (await sent.state()) === 'SUCCESS', { timeout: 20_000 });
    expect(await sent.get()).toBe('a.b.c');
    expect(ran).toEqual(['a', 'b', 'b', 'c']);
    expect(await broker.queue(bench.queue).counts()).toMatchObject({ dead: 0 });
  });

  test('a body that failed with a member runs when the member has been retried, and so does what waits for it', async () => {
    const app = bench.createApp();
    const { step, join } = defineTasks(app);
    broken.add('b');
    await bench.startWorker(app);
    const sent = await chain(chord([step.s('a'), step.s('b')], join.s()), step.s('c')).delay();
    await expect(sent.get()).rejects.toThrow(TaskFailed);
    await settled(app);
    const broker = await app.broker();
    // The member and the body; the job that stands for the workflow is none.
    expect(await broker.queue(bench.queue).counts()).toMatchObject({ dead: 2, blocked: 0 });
    broken.clear();
    const member = await readFailed(sent);
    expect(await broker.queue(bench.queue).reprocess(member)).toBe(true);
    await vi.waitUntil(async () => (await sent.state()) === 'SUCCESS', { timeout: 20_000 });
    expect(await sent.get()).toBe('a+b.c');
    expect(await broker.queue(bench.queue).counts()).toMatchObject({ dead: 0 });
  });

  test('a body under "ignore" is given the values of the members that have one, and under "collect" what became of each', async () => {
    const app = bench.createApp();
    const { step, join, skip } = defineTasks(app);
    broken.add('b');
    const header = (): [ReturnType<typeof chain>, ReturnType<typeof step.s>, ReturnType<typeof skip.s>] =>
      [chain(step.s('a'), step.s('b')), step.s('c'), skip.s()] as never;
    await bench.startWorker(app);
    expect(await getValue(chord(header() as never, join.s() as never, { onError: 'ignore' }))).toBe('c');
    const collected = getValue(group(header() as never, { onError: 'collect' } as never));
    const id = expect.any(String);
    expect(await collected).toEqual([
      {
        status: 'rejected',
        reason: {
          id,
          task: 'step',
          name: 'Reject',
          message: expect.stringContaining('b is broken'),
          code: 'REJECTED',
        },
      },
      { status: 'fulfilled', value: 'c' },
      {
        status: 'rejected',
        reason: { id, task: 'skip', name: 'Error', message: expect.stringContaining('not today'), code: null },
      },
    ]);
  });

  test('a callback for errors is called once, with the first that failed', async () => {
    const app = bench.createApp();
    const { step, join, told } = defineTasks(app);
    broken.add('a').add('b');
    await bench.startWorker(app);
    const two = group([step.s('a'), step.s('b')]).linkError(told.s() as never);
    await expect((await two.delay()).get()).rejects.toThrow(TaskFailed);
    await settled(app);
    expect(ran.filter((line) => line.startsWith('told'))).toHaveLength(1);
    ran = [];
    const one = chord([step.s('a'), step.s('b')], join.s()).linkError(told.s() as never);
    await expect((await one.delay()).get()).rejects.toThrow(TaskFailed);
    await settled(app);
    const calls = ran.filter((line) => line.startsWith('told'));
    expect(calls).toHaveLength(1);
    expect(JSON.parse((calls[0] ?? '').slice(5))).toEqual({
      id: expect.any(String),
      task: 'join',
      error: { name: 'MemberFailed', code: 'MEMBER_FAILED', message: expect.stringContaining('is broken') },
    });
    expect(ran).not.toContain('join');
  });

  test('a callback is given the value and nobody waits for it', async () => {
    const app = bench.createApp();
    const { step, told } = defineTasks(app);
    broken.add('late');
    await bench.startWorker(app);
    const sent = await step
      .s('a')
      .link(step.s('late'))
      .link(told.s() as never)
      .delay();
    expect(await sent.get()).toBe('a');
    await settled(app);
    expect(ran.toSorted()).toEqual(['a', 'late', 'told "a"']);
  });

  test('a member that is revoked or has expired fails the body', async () => {
    const app = bench.createApp();
    const { step, join } = defineTasks(app);
    const revoked = await chord([step.s('a'), step.s('b').set({ countdown: '1h' })], join.s()).delay();
    const broker = await app.broker();
    const scheduled = await broker.queue(bench.queue).listScheduled(0, 10);
    expect(scheduled).toHaveLength(1);
    await broker.queue(bench.queue).revoke([scheduled[0]?.id ?? ''], { at: 1, by: 'an operator' });
    const expired = await chord([step.s('c'), step.s('d').set({ expires: 1 })], join.s()).delay();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await bench.startWorker(app);
    await expect(revoked.get({ timeout: '20s' })).rejects.toThrow('REVOKED');
    await expect(expired.get({ timeout: '20s' })).rejects.toThrow('expired');
    expect(ran.toSorted()).toEqual(['a', 'c']);
  });

  test('under rest "cancel" the members that have not started when one is dead never do', async () => {
    const app = bench.createApp();
    const { step, join } = defineTasks(app);
    broken.add('a');
    await bench.startWorker(app, { concurrency: 1 });
    const members = [step.s('a'), chain(step.s('b'), step.s('c')), step.s('d').set({ countdown: '1h' })] as const;
    const sent = await chord(members, join.s() as never, { rest: 'cancel' }).delay();
    await expect((sent as { get(): Promise<unknown> }).get()).rejects.toThrow(TaskFailed);
    await settled(app);
    expect(ran).toEqual(['a']);
    expect(await (await app.broker()).queue(bench.queue).counts()).toMatchObject({ blocked: 0, scheduled: 0 });
  });

  test('a workflow whose job is revoked ends as revoked when its steps have', async () => {
    const app = bench.createApp();
    const { step } = defineTasks(app);
    const sent = await chain(step.s('a').set({ countdown: '1h' }), step.s('b')).delay();
    const broker = await app.broker();
    await broker.queue(bench.queue).revoke([sent.id], { at: 1, by: null });
    await expect(sent.get()).rejects.toThrow(TaskRevoked);
    const [first] = await broker.queue(bench.queue).listScheduled(0, 1);
    await broker.queue(bench.queue).revoke([first?.id ?? ''], { at: 1, by: null });
    await bench.startWorker(app);
    await settled(app);
    expect(await broker.queue(bench.queue).counts()).toMatchObject({ blocked: 0, dead: 0 });
    expect(ran).toEqual([]);
  });

  test('empty groups give an empty list, wherever they stand', async () => {
    const app = bench.createApp();
    const { step, join } = defineTasks(app);
    await bench.startWorker(app);
    const get = (signature: unknown): Promise<unknown> => getValue(signature);
    expect(await get(chord([], join.s('-') as never))).toBe('');
    expect(await get(chain(step.s('a'), group([]) as never))).toEqual([]);
    expect(await get(group([group([]), step.s('a')]))).toEqual([[], 'a']);
    expect(await get(chain(step.s('a'), group([]) as never, group([]) as never))).toEqual([]);
  });

  test('a task replaces itself by a workflow, whose value is then its own', async () => {
    const app = bench.createApp();
    const { step, join, told } = defineTasks(app);
    const split = app.task('split', async (given: string): Promise<string> => {
      ran.push('split');
      throw context().replace(chord([step.s(given, 'x'), step.s(given, 'y')], join.s()));
    });
    const nothing = app.task('nothing', async (): Promise<string[]> => {
      throw context().replace(group([]));
    });
    await bench.startWorker(app);
    expect(await (await split.delay('a')).get()).toBe('a.x+a.y');
    expect(await (await nothing.delay()).get()).toEqual([]);
    expect(await getValue(chain(nothing.s(), join.s()))).toBe('');
    const linked = split.s('e').link(told.s() as never);
    expect(await (await linked.delay()).get()).toBe('e.x+e.y');
    await vi.waitUntil(() => ran.includes('told "e.x+e.y"'), { timeout: 20_000 });
    const inside = chord([split.s('b'), step.s('c')], join.s('|'));
    expect(await (await chain(inside.link(told.s() as never), split.s()).delay()).get()).toBe(
      'b.x+b.y|c.x+b.x+b.y|c.y',
    );
    expect(ran.filter((line) => line === 'split')).toHaveLength(4);
  });

  test('a task whose replacement fails is a dead letter, and succeeds when what failed has been retried', async () => {
    const app = bench.createApp();
    const { step, join } = defineTasks(app);
    broken.add('y');
    const split = app.task('split', async (given: string): Promise<string[]> => {
      throw context().replace(group([step.s(given, 'x'), step.s(given, 'y')]));
    });
    await bench.startWorker(app);
    const sent = await chain(step.s('a'), split.s(), join.s()).delay();
    await expect(sent.get()).rejects.toThrow(TaskFailed);
    await settled(app);
    const broker = await app.broker();
    expect(await broker.queue(bench.queue).counts()).toMatchObject({ dead: 2 });
    broken.clear();
    await broker.queue(bench.queue).reprocess(await readFailed(sent));
    await vi.waitUntil(async () => (await sent.state()) === 'SUCCESS', { timeout: 20_000 });
    expect(await sent.get()).toBe('a.x+a.y');
  });

  test('a member adds members to its group while it runs, and their values come last', async () => {
    const app = bench.createApp();
    const { step, join } = defineTasks(app);
    const grow = app.task('grow', async (given: string): Promise<string> => {
      await context().add(step.s(given, 'x'));
      await context().add(chain(step.s(given, 'y'), step.s('z')));
      return given;
    });
    const alone = app.task('alone', async (): Promise<string> => {
      return await context()
        .add(step.s('never'))
        .then(
          () => 'added',
          ({ code }: TqError) => code,
        );
    });
    await bench.startWorker(app);
    expect(await (await chord([grow.s('a'), step.s('b')], join.s()).delay()).get()).toBe('a+b+a.x+a.y.z');
    expect(await (await group([grow.s('c')]).delay()).get()).toEqual(['c', 'c.x', 'c.y.z']);
    expect(await (await alone.delay()).get()).toBe('NO_GROUP');
    expect(await (await chain(alone.s(), step.s('then')).delay()).get()).toBe('NO_GROUP.then');
  });

  test('what sending a group gives is a group by the names of Celery', async () => {
    const app = bench.createApp();
    const { step } = defineTasks(app);
    await bench.startWorker(app);
    const sent = (await group([step.s('a'), step.s('b')]).delay()).group();
    expect(await sent.join({ timeout: '20s' })).toEqual(['a', 'b']);
    expect(await sent.completedCount()).toBe(2);
    expect(await sent.waiting()).toBe(false);
  });

  test('a task runs over items in one job, or in chunks of them', async () => {
    const app = bench.createApp();
    const { step } = defineTasks(app);
    await bench.startWorker(app);
    expect(await (await step.map(['a', 'b']).delay()).get()).toEqual(['a', 'b']);
    const pairs = [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'z'],
    ] as [string, string][];
    expect(await (await step.starmap(pairs).delay()).get()).toEqual(['a.x', 'b.y', 'c.z']);
    expect(await (await step.chunks(pairs, 2).delay()).get()).toEqual([['a.x', 'b.y'], ['c.z']]);
    broken.add('b');
    await expect((await step.map(['a', 'b', 'c']).delay()).get()).rejects.toThrow('b is broken');
  });

  test('steps carry the ids of their request and of what led to them', async () => {
    const app = bench.createApp();
    const seen: unknown[] = [];
    const look = app.task('look', async (...given: unknown[]): Promise<number> => {
      const { id, requestId, rootId, parentId, headers } = context();
      seen.push({ id, requestId, rootId, parentId, headers });
      return given.length;
    });
    await bench.startWorker(app);
    const signature = chain(look.s(), look.s()) as unknown as ReturnType<typeof look.s>;
    const sent = await signature.apply({ requestId: 'r-1', headers: { tenant: 'acme' } });
    await sent.get();
    const [first, second] = seen as { id: string }[];
    const common = { requestId: 'r-1', rootId: sent.id, headers: { tenant: 'acme' } };
    expect(first).toEqual({ ...common, id: expect.any(String), parentId: null });
    expect(second).toEqual({ ...common, id: expect.any(String), parentId: first?.id });
  });
});
