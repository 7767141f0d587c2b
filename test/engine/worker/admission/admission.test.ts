import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../../../src/engine/app/contract.ts';
import type { Broker } from '../../../../src/engine/broker/port.ts';
import { heldPrefix } from '../../../../src/engine/worker/admission/held-index.ts';
import { letGoAll } from '../../../../src/engine/worker/admission/letting-go.ts';
import { removePausedTask, writePausedTask } from '../../../../src/engine/worker/admission/paused-tasks.ts';
import type { Worker } from '../../../../src/engine/worker/worker.ts';
import { brokersUnderTest } from '../../../support/brokers.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { createLiveBench, createStore, type LiveBench } from '../../app/live-app.ts';
import { type Channel, createChannel } from '../../broker/channel.ts';

const HOUR_MS = 3_600_000;

describe.each(brokersUnderTest())('on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  let app: App;
  let broker: Broker;
  /** What ran, as its task function was called. */
  let ran: Channel<string>;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(async () => {
    bench = createLiveBench(url);
    app = bench.createApp();
    broker = await app.broker();
    ran = createChannel();
  });
  afterEach(() => bench.close());

  const record = (name: string): void => ran.push(name);
  const held = (task: string): Promise<number> => broker.state.size(heldPrefix(bench.queue, task));
  const settle = (task: string, count: number): Promise<unknown> =>
    waitFor(`${count} held jobs of ${task}`, async () => {
      const { active, scheduled } = await broker.queue(bench.queue).counts();
      return (await held(task)) === count && active === 0 && scheduled >= count;
    });
  const resume = async (task: string, ...workers: readonly Worker[]): Promise<number> => {
    await removePausedTask(broker.state, task);
    for (const worker of workers) await worker.reloadPauses();
    return await letGoAll(broker, { queue: bench.queue, task, line: 'pause' });
  };

  test('a paused task does not run and does not stop the others; resumed, its jobs start in their old order', async () => {
    const paused = `paused-${store.name}`;
    const task = app.task(paused, record);
    const other = app.task('other', record);
    await writePausedTask(broker.state, { task: paused, since: 1 });
    for (let job = 1; job <= 3; job += 1) {
      await task.delay(`paused ${job}`);
      await other.delay(`other ${job}`);
    }
    const first = await bench.startWorker(app, { concurrency: 1 });
    expect(await ran.take(3)).toEqual(['other 1', 'other 2', 'other 3']);
    await settle(paused, 3);
    await first.stop();
    expect(first.counters).toMatchObject({ succeeded: 3, handedBack: 0 });

    // A worker that starts while the task is paused.
    await task.delay('paused 4');
    const second = await bench.startWorker(app, { concurrency: 1 });
    await settle(paused, 4);
    expect(ran.all).toHaveLength(3);
    await broker.queue(bench.queue).pause();
    await other.delay('other 4');
    expect(await resume(paused, second)).toBe(4);
    await broker.queue(bench.queue).resume();
    expect(await ran.take(5)).toEqual(['paused 1', 'paused 2', 'paused 3', 'paused 4', 'other 4']);
    expect(await held(paused)).toBe(0);
  });

  test('a task that was paused while its worker runs stops with the next job', async () => {
    const name = `late-${store.name}`;
    const task = app.task(name, record);
    const worker = await bench.startWorker(app);
    await task.delay('before');
    expect(await ran.next()).toBe('before');
    await writePausedTask(broker.state, { task: name, since: 1 });
    expect(await worker.reloadPauses()).toContain(name);
    const result = await task.delay('after');
    await settle(name, 1);
    expect(await result.state()).toBe('SCHEDULED');
    expect(await resume(name, worker)).toBe(1);
    await result.get({ timeout: '20s' });
    expect(ran.all).toEqual(['before', 'after']);
    expect(await result.attempts()).toBe(1);
  });

  test('a task at its rate holds its own jobs back, and no others', async () => {
    const task = app.task('hourly', { rateLimit: '1/h' }, record);
    const other = app.task('other', record);
    for (let job = 1; job <= 5; job += 1) {
      await task.delay(`hourly ${job}`);
      await other.delay(`other ${job}`);
    }
    await bench.startWorker(app, { concurrency: 1 });
    const names = await ran.take(6);
    await settle('hourly', 4);
    expect(names.filter((name) => name.startsWith('hourly'))).toEqual(['hourly 1']);
    // Each has an instant of its own, an hour after the one before.
    const due = (await broker.queue(bench.queue).listScheduled(0, 10)).map(({ dueAt }) => dueAt ?? 0);
    for (const [index, at] of due.entries()) {
      if (index > 0) expect(Math.abs(at - (due[index - 1] ?? 0) - HOUR_MS)).toBeLessThan(60_000);
    }
    expect(ran.all).toHaveLength(6);
  });

  test('a global rate is one for all workers, and each worker has its own of any other', async () => {
    const global = `global-${bench.queue}`;
    const shared = app.task(global, { rateLimit: { rate: '1/h', scope: 'global' } }, record);
    const own = app.task('own', { rateLimit: '1/h' }, record);
    const workers = [await bench.startWorker(app), await bench.startWorker(app)];
    for (let job = 1; job <= 4; job += 1) {
      await shared.delay('shared');
      await own.delay('own');
    }
    await settle(global, 3);
    await waitFor('every job is run or held', async () => (await broker.queue(bench.queue).counts()).waiting === 0);
    expect(ran.all.filter((name) => name === 'shared')).toHaveLength(1);
    const ownStarts = ran.all.filter((name) => name === 'own').length;
    expect(ownStarts).toBeGreaterThanOrEqual(1);
    expect(ownStarts).toBeLessThanOrEqual(2);
    expect(workers.reduce((sum, { counters }) => sum + counters.succeeded, 0)).toBe(1 + ownStarts);
  });

  test('a new rate counts at once: what the old one held is let go, in its order', async () => {
    const task = app.task('eased', { rateLimit: '1/h' }, record);
    for (let job = 1; job <= 4; job += 1) await task.delay(`eased ${job}`);
    const worker = await bench.startWorker(app, { concurrency: 1 });
    await settle('eased', 3);
    worker.setRate({ task: 'eased', rate: null, id: 'one' })();
    expect(await ran.take(4)).toEqual(['eased 1', 'eased 2', 'eased 3', 'eased 4']);
    worker.setRate({ task: 'eased', rate: { count: 1, periodMs: HOUR_MS }, id: 'two' })();
    await task.delay('eased 5');
    await task.delay('eased 6');
    expect(await ran.next()).toBe('eased 5');
    await settle('eased', 1);
    expect(ran.all).toHaveLength(5);
    expect(() => worker.setRate({ task: 'easd', rate: null, id: 'three' })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_TASK', message: expect.stringContaining('"eased"') }),
    );
  });

  test('a limit for each key is kept by all workers together, and every job runs', { timeout: 60_000 }, async () => {
    const now = new Map<string, number>();
    const most = new Map<string, number>();
    const key = (tenant: string): string => tenant;
    const task = app.task(`tenants-${bench.queue}`, { concurrency: { limit: 2, key } }, async (tenant: string) => {
      const running = (now.get(tenant) ?? 0) + 1;
      now.set(tenant, running);
      most.set(tenant, Math.max(most.get(tenant) ?? 0, running));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now.set(tenant, (now.get(tenant) ?? 0) - 1);
      record(tenant);
    });
    const tenants = ['a', 'b', 'c'];
    await task.bulk(Array.from({ length: 45 }, (_, index): [string] => [tenants[index % 3] as string]));
    await bench.startWorker(app, { concurrency: 6 });
    await bench.startWorker(app, { concurrency: 6 });
    await ran.take(45);
    expect([...most.values()].every((running) => running <= 2)).toBe(true);
    expect([...most.keys()].sort()).toEqual(tenants);
    expect([...now.values()]).toEqual([0, 0, 0]);
    await waitFor('no job is left', async () => {
      const { waiting, active, scheduled } = await broker.queue(bench.queue).counts();
      return waiting + active + scheduled === 0;
    });
    expect(await held(`tenants-${bench.queue}`)).toBe(0);
  });

  test('a key that cannot be told makes a dead letter that says so', async () => {
    const key = (tenant: string): string => tenant.toUpperCase();
    const task = app.task('keyed', { concurrency: { limit: 1, key } }, record);
    await bench.startWorker(app);
    const result = await app.send('keyed', [7]);
    await expect(result.get({ timeout: '20s' })).rejects.toMatchObject({ code: 'TASK_FAILED' });
    expect((await result.job())?.error).toMatchObject({
      code: 'CONCURRENCY_KEY_FAILED',
      message: expect.stringContaining('toUpperCase'),
    });
    await expect((await task.delay('a')).get({ timeout: '20s' })).resolves.toBeNull();
  });
});
