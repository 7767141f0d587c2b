import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import { TaskFailed } from '../../../src/engine/core/errors.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from '../app/live-app.ts';

/** A signature that is built in a loop: its types cannot follow. */
interface Sendable {
  delay(): Promise<{ id: string; get(options: { timeout: string }): Promise<unknown> }>;
}

describe.each(brokersUnderTest())('on $name', (underTest) => {
  // BullMQ's PostgreSQL backend takes several milliseconds for a child of a large flow.
  const isSlow = underTest.name === 'postgres';
  const members = isSlow ? 2000 : 10_000;
  const steps = isSlow ? 300 : 1000;
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  const getValue = async (signature: unknown): Promise<unknown> =>
    await (await (signature as Sendable).delay()).get({ timeout: '100s' });

  test(`a chord has ${members} members, and its body is given all of their values in order`, async () => {
    const app = bench.createApp();
    const member = app.task('member', async (number: number) => number * 2);
    const check = app.task('check', async (values: readonly number[]) => ({
      count: values.length,
      inOrder: values.every((value, index) => value === index * 2),
    }));
    await bench.startWorker(app, { concurrency: 50 });
    const header = Array.from({ length: members }, (_, index) => member.s(index));
    expect(await getValue(chord(header, check.s() as never))).toEqual({ count: members, inOrder: true });
  }, 120_000);

  test(`a chain has ${steps} steps, which take as many bytes each as those of a short one`, async () => {
    const app = bench.createApp();
    const add = app.task('add', async (to: number, more: number) => to + more);
    await bench.startWorker(app, { concurrency: 4 });
    const build = (length: number): unknown =>
      (chain as (...steps: unknown[]) => unknown)(add.s(0, 1), ...Array.from({ length: length - 1 }, () => add.s(1)));
    const broker = await app.broker();
    const measure = async (length: number): Promise<number> => {
      const sent = await (build(length) as Sendable).delay();
      expect(await sent.get({ timeout: '100s' })).toBe(length);
      const records = await broker.state.list(`workflow/${sent.id}/`);
      const last = await broker.queue(bench.queue).readJob(sent.id);
      return records.reduce((bytes, { value }) => bytes + value.length, JSON.stringify(last?.meta).length);
    };
    const [short, long] = [await measure(steps / 10), await measure(steps)];
    expect(long / short).toBeLessThan(11);
  }, 120_000);

  test('groups are nested fifty levels deep, and so is what they give', async () => {
    const app = bench.createApp();
    const leaf = app.task('leaf', async () => 'leaf');
    const pack = app.task('pack', async (values: readonly unknown[]) => values.length);
    await bench.startWorker(app);
    let groups: unknown = leaf.s();
    let chords: unknown = leaf.s();
    let wanted: unknown = 'leaf';
    for (let level = 0; level < 50; level += 1) {
      groups = group([groups as never]);
      chords = chord([chords as never, leaf.s()], pack.s() as never);
      wanted = [wanted];
    }
    expect(await getValue(groups)).toEqual(wanted);
    expect(await getValue(chords)).toBe(2);
  }, 60_000);

  test('a step gives five megabytes to the next one, and to a body', async () => {
    const app = bench.createApp();
    const make = app.task('make', async () => 'x'.repeat(5_000_000));
    const measure = app.task('measure', async (text: string) => text.length);
    const total = app.task('total', async (texts: readonly string[]) =>
      texts.reduce((sum, { length }) => sum + length, 0),
    );
    await bench.startWorker(app);
    expect(await getValue(chain(make.s(), measure.s()))).toBe(5_000_000);
    expect(await getValue(chord([make.s(), make.s()], total.s() as never))).toBe(10_000_000);
  }, 60_000);

  test('a member whose task no worker knows fails the body when it is given up', async () => {
    const app = bench.createApp({ unknownTasks: { max: 1, delay: '1ms' } });
    const leaf = app.task('leaf', async () => 'leaf');
    const pack = app.task('pack', async (values: readonly unknown[]) => values.length);
    await bench.startWorker(app);
    const sent = await (
      chord([leaf.s(), app.signature('nobody.knows') as never], pack.s() as never) as Sendable
    ).delay();
    await expect(sent.get({ timeout: '30s' })).rejects.toThrow(TaskFailed);
    await expect(sent.get({ timeout: '30s' })).rejects.toThrow('nobody.knows');
  });

  test('the same step, acknowledged twice, leads on once', async () => {
    const app = bench.createApp();
    const ran: string[] = [];
    const note = app.task('note', async (...given: string[]) => {
      ran.push(given.at(-1) ?? '');
      return given.at(-1) ?? '';
    });
    await bench.startWorker(app);
    const signature = chain(note.s('a') as never, note.s('b') as never, note.s('c') as never) as unknown as Sendable;
    const sent = await signature.delay();
    await sent.get({ timeout: '20s' });
    const broker = await app.broker();
    const jobs = await broker.queue(bench.queue).readChildren(sent.id);
    const [first = ''] = jobs.ended.keys();
    expect(jobs.ended.size).toBe(3);
    for (const id of jobs.ended.keys()) {
      const job = await broker.queue(bench.queue).readJob(id);
      if (job?.args.at(-1) === 'a') expect(await broker.queue(bench.queue).reprocess(id)).toBe(true);
    }
    await vi.waitUntil(() => ran.filter((name) => name === 'a').length === 2, { timeout: 20_000 });
    await vi.waitUntil(async () => (await broker.queue(bench.queue).counts()).active === 0, { timeout: 20_000 });
    expect(first).not.toBe('');
    expect(ran.toSorted()).toEqual(['a', 'a', 'b', 'c']);
  });
});
