import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createNodeId } from '../../../src/engine/broker/control-port.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { loseWorker } from '../broker/lose-worker.ts';
import { newJob, openWorkshop, queueName, type Workshop } from '../broker/workshop.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

describe.each(brokersUnderTest())('on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  let workshop: Workshop;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(async () => {
    bench = createLiveBench(url);
    workshop = await openWorkshop(store.name, url);
  });
  afterEach(async () => {
    await workshop.close();
    await bench.close();
  });

  const codesOf = async (id: string, queue?: string): Promise<string[]> => {
    const app = bench.createApp();
    return (await app.why(id, queue === undefined ? {} : { queue })).reasons.map(({ code }) => code);
  };

  describe('a queue that plain BullMQ made', () => {
    test('a job in it that nobody takes: no worker, a pause, and the jobs before it', async () => {
      const name = queueName();
      const plain = workshop.plainQueue(name);
      await plain.add('mail', { to: 'ada' });
      const { id = '' } = await plain.add('mail', { to: 'bob' });
      expect(await codesOf(id, name)).toEqual(['NO_WORKER', 'JOBS_BEFORE']);
      await plain.pause();
      expect(await codesOf(id, name)).toEqual(['QUEUE_PAUSED', 'NO_WORKER', 'JOBS_BEFORE']);
    });

    test('a job that its worker runs, and one that is a dead letter', async () => {
      const name = queueName();
      const plain = workshop.plainQueue(name);
      const gate = workshop.gate();
      const seen = await workshop.plainWorker(name, async (data) => {
        if (data === 'fails') throw new TypeError('no such host');
        await gate.promise;
      });
      const failing = await plain.add('mail', 'fails');
      const { id = '' } = await plain.add('mail', 'runs');
      await seen.take(2);
      expect(await codesOf(id, name)).toEqual(['RUNNING']);
      const { reasons } = await bench.createApp().why(failing.id ?? '', { queue: name });
      expect(reasons).toEqual([expect.objectContaining({ code: 'DEAD' })]);
      expect(reasons[0]?.message).toContain('TypeError: no such host');
      gate.resolve();
    });

    test('a parent names the child that is a dead letter, and the one that waits', async () => {
      const [parents, children] = [queueName(), queueName()];
      const parent = await workshop.plainFlow({
        name: 'album',
        queueName: parents,
        children: [
          { name: 'resize', queueName: children, data: 'fails', opts: { jobId: 'bad' } },
          { name: 'resize', queueName: children, data: 'waits', opts: { jobId: 'good', delay: 3_600_000 } },
        ],
      });
      await workshop.plainWorker(children, () => {
        throw new Error('no disk');
      });
      await waitFor('the child is dead', async () => {
        return (await workshop.broker.queue(children).readJob('bad'))?.state === 'FAILURE';
      });
      const { state, reasons } = await bench.createApp().why(parent, { queue: parents });
      expect(state).toBe('BLOCKED');
      expect(reasons.map(({ code }) => code)).toEqual(['CHILD_DEAD', 'CHILDREN_PENDING', 'NO_WORKER']);
      expect(reasons[0]?.message).toContain('bad failed with Error: no disk');
      expect(reasons[1]?.message).toContain('good (resize, SCHEDULED)');
    });
  });

  test('busy slots, a running job, one that is not registered, and a worker that is silent', async () => {
    const app = bench.createApp();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const slow = app.task('slow', () => {
      begin();
      return gate;
    });
    await bench.startWorker(app, { concurrency: 1 });
    const running = await slow.delay();
    await begun;
    const waiting = await slow.delay();
    const unknown = await app.send('slaw');
    expect(await codesOf(running.id)).toEqual(['RUNNING']);
    const { reasons } = await app.why(waiting.id);
    expect(reasons.map(({ code }) => code)).toEqual(['SLOTS_BUSY']);
    expect(reasons[0]?.message).toContain(`${running.id} (slow) runs longest`);
    const [first] = (await app.why(unknown.id)).reasons;
    expect(first).toMatchObject({ code: 'TASK_NOT_REGISTERED' });
    expect(first?.message).toContain('near it they have slow');
    const mute = Promise.withResolvers<{ value: null }>();
    const member = await workshop.broker.control.join({
      ...{ id: createNodeId(), name: 'mute', handle: () => mute.promise },
    });
    const elsewhere = queueName();
    await workshop.broker.queue(elsewhere).add(newJob({ id: 'alone' }));
    expect((await app.why('alone', { timeout: 100 })).reasons[0]).toMatchObject({ code: 'NO_WORKER' });
    mute.resolve({ value: null });
    await member.leave();
    open();
    await waiting.get({ timeout: '20s' });
    expect(await codesOf(waiting.id)).toEqual(['SUCCEEDED']);
  });

  test('jobs that a pause and a concurrency limit of their task hold back', async () => {
    const app = bench.createApp();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const limited = app.task(
      'limited',
      { concurrency: { limit: 1, key: (name: string) => name } },
      async (_: string) => {
        begin();
        await gate;
      },
    );
    const paused = app.task('paused', () => 1);
    await app.control.pauseTask('paused');
    await bench.startWorker(app, { concurrency: 4 });
    const holder = await limited.delay('a');
    await begun;
    const [held, stopped] = [await limited.delay('a'), await paused.delay()];
    const isHeld = async (id: string) => (await app.result(id).state()) === 'SCHEDULED';
    await waitFor('both are held', async () => (await isHeld(held.id)) && (await isHeld(stopped.id)));
    const [full] = (await app.why(held.id)).reasons;
    expect(full).toMatchObject({ code: 'TASK_CONCURRENCY_FULL' });
    expect(full?.message).toContain(`1 job has its place: ${holder.id} on worker-1`);
    expect(await codesOf(stopped.id)).toEqual(['TASK_PAUSED']);
    open();
    await held.get({ timeout: '20s' });
  });

  test('a job whose worker was killed says that it is gone', async () => {
    const name = queueName();
    await workshop.broker.queue(name).add(newJob({ id: 'lost' }));
    await loseWorker(workshop, name, 30_000);
    const { reasons } = await bench.createApp().why('lost', { queue: name });
    // A server sees a connection end; on SQLite the worker counts as connected until its sign of life is overdue.
    const code = store.name === 'sqlite' ? 'RUNNING' : 'WORKER_GONE';
    expect(reasons).toEqual([expect.objectContaining({ code })]);
    expect(reasons[0]?.message).toContain('doomed');
  });

  test('a revoked job, and an id that nobody knows', async () => {
    const app = bench.createApp();
    const task = app.task('t', () => 1);
    const result = await task.apply([], { countdown: '1h' });
    expect(await codesOf(result.id)).toEqual(['SCHEDULED', 'NO_WORKER']);
    await result.revoke({ timeout: 100 });
    expect(await app.why(result.id)).toMatchObject({ state: 'REVOKED', reasons: [{ code: 'REVOKED' }] });
    expect(await app.why('nope')).toMatchObject({ state: 'UNKNOWN', task: null, reasons: [{ code: 'UNKNOWN' }] });
  });

  test('a job that is put back because no worker registers its task names those workers', async () => {
    const app = bench.createApp({ unknownTasks: { max: 3, delay: '1h' } });
    await bench.startWorker(app);
    const { id } = await app.send('elsewhere');
    await waitFor('it is put back', async () => (await app.result(id).state()) === 'SCHEDULED');
    const { reasons } = await app.why(id);
    expect(reasons).toEqual([expect.objectContaining({ code: 'TASK_NOT_REGISTERED', until: expect.any(Number) })]);
    expect(reasons[0]?.message).toContain('put back by worker-1');
  });
});
