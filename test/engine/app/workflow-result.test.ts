import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { chain, group } from '../../../src/engine/canvas/constructs.ts';
import { WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import { ResultTimeout, TaskFailed, TaskRevoked } from '../../../src/engine/core/errors.ts';
import type { FinishedPart } from '../../../src/engine/results/async-result.ts';
import { context } from '../../../src/engine/task/context.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { group as groupOf, task, type Written, writeGraph } from '../canvas/written-graph.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.each(brokersUnderTest())('on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  let app: App;
  let broker: Broker;
  /** Gates by name: `wait` tasks end when theirs is opened. */
  let gates: Map<string, PromiseWithResolvers<string>>;
  /** Names of the gates at which tasks wait. */
  let arrived: Map<string, PromiseWithResolvers<void>>;
  let broken: Set<string>;

  const gate = (name: string): PromiseWithResolvers<string> => {
    const found = gates.get(name) ?? Promise.withResolvers<string>();
    gates.set(name, found);
    return found;
  };
  const arrival = (name: string): PromiseWithResolvers<void> => {
    const found = arrived.get(name) ?? Promise.withResolvers<void>();
    arrived.set(name, found);
    return found;
  };

  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(async () => {
    [gates, arrived, broken] = [new Map(), new Map(), new Set()];
    bench = createLiveBench(url);
    app = bench.createApp();
    app.task('say', (...args: string[]) => args.flat().join(' '));
    app.task('fail', (...args: string[]) => {
      const name = String(args.at(-1));
      if (broken.has(name)) throw new TypeError(`no ${name}`);
      return name;
    });
    app.task('wait', async (...args: string[]) => {
      const name = String(args.at(-1));
      arrival(name).resolve();
      const { signal } = context();
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      return await Promise.race([gate(name).promise, aborted]);
    });
    app.task('stubborn', async (name: string) => {
      arrival(name).resolve();
      return await gate(name).promise;
    });
    broker = await app.broker();
  });
  afterEach(async () => {
    for (const [name, { resolve }] of gates) resolve(name);
    await bench.close();
  });

  const write = (nodes: Parameters<typeof writeGraph>[0]): Written =>
    writeGraph(nodes, {
      queue: bench.queue,
      id: `0198f6a2-7c1e-7000-8000-${Math.random().toString(16).slice(2, 14).padEnd(12, '0')}`,
    });
  const idOf = ({ head }: Written): string => head.graph;
  const work = (): Promise<unknown> => bench.startWorker(app, { concurrency: 10 });

  test('a chain is followed from its first step to its value', async () => {
    const written = write([task('say', { args: ['a'], next: 1 }), task('wait', { args: ['b'], next: 2 }), task('say')]);
    await written.send(broker);
    const workflow = app.workflow<string>(idOf(written));
    expect(await workflow.state()).toBe('PENDING');
    expect(await workflow.progress()).toEqual({ done: 0, total: 3, states: { PENDING: 1, BLOCKED: 2 } });
    await work();
    await arrival('b').promise;
    expect(await workflow.state()).toBe('STARTED');
    expect(await workflow.ready()).toBe(false);
    await expect(workflow.get({ timeout: '10ms' })).rejects.toThrow(ResultTimeout);
    const parts = collect(workflow);
    gate('b').resolve('c');
    expect(await workflow.get()).toBe('c');
    expect(await parts).toEqual([
      { index: 0, state: 'SUCCESS', value: 'a' },
      { index: 1, state: 'SUCCESS', value: 'c' },
      { index: 2, state: 'SUCCESS', value: 'c' },
    ]);
    expect(await workflow.view()).toMatchObject({
      state: 'SUCCESS',
      progress: { done: 3, total: 3 },
      tree: { kind: 'chain', state: 'SUCCESS', children: [{ attempts: 1, worker: expect.any(String) }, {}, {}] },
    });
    expect([await workflow.successful(), await workflow.failed(), await workflow.completedCount()]).toEqual([
      ...[true, false, 3],
    ]);
  });

  test('the members of a group are given as they end, and their list at last', async () => {
    const names = ['a', 'b', 'c'];
    const written = write([groupOf([1, 2, 3]), ...names.map((name) => task('wait', { args: [name], within: 0 }))]);
    await written.send(broker);
    await work();
    const results = await app.restoreGroup<[string, string, string]>(idOf(written));
    const iterator = results[Symbol.asyncIterator]();
    const next = async (): Promise<FinishedPart | undefined> => (await iterator.next()).value ?? undefined;
    for (const name of ['b', 'c', 'a']) {
      gate(name).resolve(name.toUpperCase());
      expect(await next()).toEqual({ index: names.indexOf(name), state: 'SUCCESS', value: name.toUpperCase() });
    }
    expect(await next()).toBeUndefined();
    expect(await results.join()).toEqual(['A', 'B', 'C']);
    expect(await results.waiting()).toBe(false);
    expect(await Promise.all((await results.children()).map((child) => child.get()))).toEqual(['A', 'B', 'C']);
    expect(await results.save()).toBe(idOf(written));
    const name = await results.save(`nightly of ${bench.queue}`);
    expect((await app.restoreGroup(name)).id).toBe(idOf(written));
  });

  test('members that are groups are told by their policies, and whoever stops early waits for nothing', async () => {
    broken.add('x');
    const written = write([
      groupOf([1, 4, 7]),
      groupOf([2, 3], { within: 0, onError: 'collect' }),
      task('fail', { args: ['x'], within: 1 }),
      task('say', { args: ['y'], within: 1 }),
      groupOf([5, 6], { within: 0 }),
      task('fail', { args: ['x'], within: 4 }),
      task('say', { args: ['z'], within: 4 }),
      task('wait', { args: ['never'], within: 0 }),
    ]);
    await written.send(broker);
    await work();
    const seen: FinishedPart[] = [];
    for await (const part of app.workflow(idOf(written))) {
      seen.push(part);
      if (seen.length === 2) break;
    }
    const error = expect.objectContaining({ name: 'TypeError', message: 'no x' });
    expect(seen.toSorted((a, b) => a.index - b.index)).toEqual([
      {
        index: 0,
        state: 'SUCCESS',
        value: [
          {
            status: 'rejected',
            reason: { id: written.idOf(2), task: 'fail', name: 'TypeError', message: 'no x', code: null },
          },
          { status: 'fulfilled', value: 'y' },
        ],
      },
      { index: 1, state: 'FAILURE', id: written.idOf(5), task: 'fail', error, reason: null },
    ]);
  });

  test('members that running ones add are told after the first, and belong to the list', async () => {
    app.task('more', async (name: string) => {
      await context().add(app.signature('say', [`${name} and more`]));
      return name;
    });
    const { id } = await group([app.signature('more', ['a']), app.signature('say', ['b'])]).delay();
    await work();
    const workflow = app.workflow(id);
    const parts = await collect(workflow);
    expect(parts.map(({ index }) => index).toSorted()).toEqual([0, 1, 2]);
    expect(parts.at(-1)).toEqual({ index: 2, state: 'SUCCESS', value: 'a and more' });
    expect(await workflow.get()).toEqual(['a', 'b', 'a and more']);
    expect((await workflow.view()).tree.children.map(({ role }) => role)).toEqual(['step', 'step', 'added']);
    expect(await workflow.completedCount()).toBe(3);
  });

  test('a step that replaces itself is followed into what took its place', async () => {
    app.task('swap', async (name: string) => {
      throw context().replace(chain(app.signature('wait', [name]), app.signature('say', ['!'])));
    });
    const { id } = await chain(app.signature('swap', ['a']), app.signature('say', ['?'])).delay();
    await work();
    await arrival('a').promise;
    const workflow = app.workflow<string>(id);
    const { tree } = await workflow.view();
    expect(tree).toMatchObject({
      state: 'STARTED',
      children: [
        { task: 'swap', state: 'STARTED', children: [{ role: 'replacement', kind: 'chain', state: 'STARTED' }] },
        { task: 'say', state: 'BLOCKED' },
      ],
    });
    gate('a').resolve('b');
    expect(await workflow.get()).toBe('b ! ?');
    expect(await workflow.progress()).toMatchObject({ done: 4, total: 4 });
    expect(await collect(workflow)).toMatchObject([{ value: 'b !' }, { value: 'b ! ?' }]);
  });

  test('a failed member is told with its error, and retrying it leads the whole on', async () => {
    broken.add('b');
    const written = write([
      task('say', { args: ['a'], next: 1 }),
      groupOf([2, 3], { next: 4 }),
      task('fail', { args: ['b'], within: 1 }),
      task('fail', { args: ['c'], within: 1 }),
      task('say', { args: ['!'], joins: 1, next: 5 }),
      task('say', { args: ['?'] }),
    ]);
    await written.send(broker);
    await work();
    const workflow = app.workflow<string>(idOf(written));
    await expect(workflow.get()).rejects.toThrow(TaskFailed);
    expect(await workflow.failed()).toBe(true);
    expect(await collect(workflow)).toMatchObject([
      { state: 'SUCCESS', value: 'a' },
      { index: 1, state: 'FAILURE', id: written.idOf(4), error: { code: 'MEMBER_FAILED' } },
    ]);
    broken.clear();
    const { retried, missed } = await workflow.retryFailed();
    expect({ first: retried[0], missed }).toEqual({ first: written.idOf(2), missed: [] });
    expect(await workflow.get()).toBe('b c ! ?');
    expect(await workflow.view()).toMatchObject({ state: 'SUCCESS', progress: { done: 5, total: 5 } });
    expect(await workflow.retryFailed()).toEqual({ retried: [], missed: [] });
  });

  test('what a cancelled group held back is led on when its dead member is retried', async () => {
    broken.add('a');
    const written = write([
      groupOf([1, 2, 4], { rest: 'cancel' }),
      task('fail', { args: ['a'], within: 0 }),
      task('stubborn', { args: ['b'], within: 0, next: 3 }),
      task('say', { args: ['then'], within: 0 }),
      task('say', { args: ['late'], within: 0, options: { countdownMs: 3_600_000 } }),
    ]);
    await written.send(broker);
    await work();
    await arrival('b').promise;
    const workflow = app.workflow(idOf(written));
    await expect.poll(async () => (await workflow.view()).progress.states['REVOKED']).toBe(1);
    gate('b').resolve('b');
    await expect(workflow.get()).rejects.toThrow(TaskFailed);
    broken.clear();
    const { retried } = await workflow.retryFailed();
    // A quick step may have let the whole wait again before its turn came.
    expect(retried).toEqual(expect.arrayContaining([written.idOf(1), written.idOf(4)]));
    expect(await workflow.get()).toEqual(['a', 'b then', 'late']);
  });

  test('cancelling revokes what has not ended, and nothing follows', async () => {
    const written = write([
      groupOf([1, 2], { next: 4 }),
      task('wait', { args: ['a'], within: 0, next: 3 }),
      task('say', { args: ['b'], within: 0, options: { countdownMs: 3_600_000 } }),
      task('say', { within: 0 }),
      task('say', { joins: 0 }),
    ]);
    await written.send(broker);
    await work();
    await arrival('a').promise;
    const workflow = app.workflow(idOf(written));
    const waiting = workflow.get();
    waiting.catch(() => undefined);
    const receipts = await workflow.cancel();
    expect(receipts.map(({ id, happened }) => [id, happened])).toEqual([
      [idOf(written), 'never started'],
      ...[
        [written.idOf(1), 'aborted'],
        [written.idOf(2), 'never started'],
        [written.idOf(4), 'never started'],
      ],
    ]);
    await expect(waiting).rejects.toThrow(TaskRevoked);
    expect(await workflow.state()).toBe('REVOKED');
    // A worker files the body away, which takes it for a moment.
    await expect.poll(() => workflow.progress()).toMatchObject({ done: 4, total: 4 });
    expect(await workflow.cancel()).toMatchObject([{ id: idOf(written), happened: expect.any(String) }]);
  });

  test('the id of a workflow stands for all of it when it is revoked as a job', async () => {
    const written = write([groupOf([1, 2]), task('say', { within: 0 }), task('say', { within: 0 })]);
    await written.send(broker);
    const other = await app.send('say', ['x']);
    const { jobs, workflows } = await app.control.revoke([other.id, idOf(written)]);
    expect(workflows).toEqual([idOf(written)]);
    expect(jobs.map(({ id }) => id)).toEqual([other.id, idOf(written), written.idOf(1), written.idOf(2)]);
    expect(await app.result(written.idOf(1)).state()).toBe('REVOKED');
  });

  test('a step knows what follows it, what it follows and its workflow', async () => {
    const written = write([
      task('say', { args: ['a'], next: 1, links: [2] }),
      task('say'),
      task('say', { aside: true }),
    ]);
    await written.send(broker);
    await work();
    await app.workflow(idOf(written)).get();
    const first = app.result(written.idOf(0));
    expect((await first.children()).map(({ id }) => id).toSorted()).toEqual(
      [written.idOf(1), written.idOf(2)].toSorted(),
    );
    expect((await app.result(written.idOf(1)).parent())?.id).toBe(first.id);
    expect(await first.parent()).toBeUndefined();
    expect((await first.workflow())?.id).toBe(idOf(written));
    expect((await app.result(idOf(written)).children()).map(({ id }) => id)).toEqual([first.id, written.idOf(1)]);
    expect(await (await app.send('say', ['x'])).workflow()).toBeUndefined();
  });

  test('a workflow that has ended can be forgotten with all its jobs', async () => {
    const written = write([task('wait', { args: ['a'], next: 1 }), task('say')]);
    await written.send(broker);
    await work();
    const workflow = app.workflow(idOf(written));
    expect(await workflow.forget()).toBe(false);
    gate('a').resolve('a');
    await workflow.get();
    expect(await workflow.forget()).toBe(true);
    expect(await app.result(written.idOf(0)).state()).toBe('UNKNOWN');
    expect(await broker.state.list(`workflow/${idOf(written)}/`)).toEqual([]);
    await expect(workflow.view()).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
    await expect(workflow.get()).rejects.toMatchObject({ code: 'UNKNOWN_JOB' });
    expect(await workflow.forget()).toBe(false);
  });

  test('ten thousand steps are read in some twenty round trips', async () => {
    const size = 10_000;
    const written = write(
      Array.from({ length: size }, (_, place) => task('say', place < size - 1 ? { next: place + 1 } : {})),
    );
    await written.save(new WorkflowStore(broker.state));
    const jobs = Array.from({ length: size }, (_, place) => written.jobOf(place));
    for (let from = 0; from < size; from += 1000)
      await broker.queue(bench.queue).addBulk(jobs.slice(from, from + 1000));
    const { progress, tree } = await app.workflow(idOf(written)).view();
    expect(progress).toEqual({ done: 0, total: size, states: { PENDING: size } });
    expect(tree.children).toHaveLength(size);
  });
});
