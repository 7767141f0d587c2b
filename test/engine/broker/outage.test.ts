import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { TqError } from '../../../src/engine/core/errors.ts';
import { type BrokerUnderTest, testServers } from '../../support/brokers.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { startRedis } from '../../support/redis-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createStore, newJob, newJobs, openWorkshop, queueName, SUCCEEDED, type Workshop } from './workshop.ts';

/** A server that tests can kill, and bring back with what it had acknowledged. */
interface Mortal {
  readonly url: string;
  readonly secret: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const { canStartRedis, canStartPostgres } = testServers();
const stores: { name: BrokerUnderTest['name']; start: () => Promise<Mortal> }[] = [
  ...(canStartRedis ? [{ name: 'redis' as const, start: startMortalRedis }] : []),
  ...(canStartPostgres ? [{ name: 'postgres' as const, start: startMortalPostgres }] : []),
];

async function startMortalRedis(): Promise<Mortal> {
  const secret = 'hunter2redis';
  const server = await startRedis({ persistent: true, password: secret });
  return { url: server.url, secret, kill: () => server.stop('SIGKILL'), restart: server.restart, stop: server.stop };
}

async function startMortalPostgres(): Promise<Mortal> {
  const server = await startPostgres();
  const { url } = await createPostgresDatabase(server.url);
  const secret = new URL(url).password;
  return { url, secret, kill: () => server.stop('SIGKILL'), restart: server.restart, stop: server.stop };
}

const OUTAGE_MS = 10_000;
const JOBS = 10_000;
/** So many of them are added one by one, before, during and after the outage. */
const ADDED_LATER = 3000;
const LOCK_MS = 5000;

describe.each(stores)('on $name, a broker that dies', ({ name, start }) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    vi.restoreAllMocks();
  });

  const open = async (): Promise<{ server: Mortal; workshop: Workshop }> => {
    const server = await start();
    stops.push(() => server.stop());
    await createStore({ name, createUrl: async () => server.url });
    const workshop = await openWorkshop(name, server.url);
    stops.push(() => workshop.close());
    return { server, workshop };
  };

  test('for ten seconds while 10,000 jobs run loses none', { timeout: 180_000 }, async () => {
    const printed = vi.spyOn(console, 'error');
    const { server, workshop } = await open();
    const [one, other] = [queueName(), queueName()];
    const runs = new Map<string, number>();
    const busy = Promise.withResolvers<void>();
    const perform = async ({ id }: { id: string }) => {
      runs.set(id, (runs.get(id) ?? 0) + 1);
      if (runs.size === 2000) busy.resolve();
      await wait(2);
      return SUCCEEDED;
    };
    const acknowledged = newJobs(JOBS - ADDED_LATER).map((job, index) => ({ job, queue: index % 2 ? one : other }));
    for (const queue of [one, other]) {
      const jobs = acknowledged.filter((entry) => entry.queue === queue).map(({ job }) => job);
      await workshop.broker.queue(queue).addBulk(jobs);
    }
    const settings = { concurrency: 10, lockDurationMs: LOCK_MS, perform };
    // One with a queue of its own, and one that shares its slots.
    const alone = await workshop.consume(one, { ...settings, broker: await workshop.openBroker() });
    const sharing = await workshop.consume([one, other], { ...settings, broker: await workshop.openBroker() });
    const refused: unknown[] = [];
    const produce = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        const entry = { job: newJob(), queue: index % 2 ? one : other };
        await workshop.broker
          .queue(entry.queue)
          .add(entry.job)
          .then(
            () => acknowledged.push(entry),
            (error) => refused.push(error),
          );
      }
    };
    const producing = Promise.all([1, 2, 3].map(() => produce(ADDED_LATER / 3)));
    await busy.promise;

    await server.kill();
    await wait(OUTAGE_MS);
    const ranBefore = runs.size;
    await server.restart();

    await producing;
    expect(refused).toEqual([]);
    expect(acknowledged).toHaveLength(JOBS);
    expect(ranBefore).toBeLessThan(JOBS);
    const counts = async () => Promise.all([one, other].map((queue) => workshop.broker.queue(queue).counts()));
    await waitFor(
      'every job to be finished',
      async () => (await counts()).every(({ waiting, active, scheduled }) => waiting + active + scheduled === 0),
      { timeoutMs: 90_000, everyMs: 200, detail: () => `${runs.size} jobs have run` },
    );
    expect(acknowledged.filter(({ job }) => !runs.has(job.id))).toEqual([]);
    const totals = await counts();
    expect(totals.map(({ dead }) => dead)).toEqual([0, 0]);
    expect(totals.reduce((sum, { completed }) => sum + completed, 0)).toBe(JOBS);
    for (const probe of [alone, sharing]) {
      const losses = probe.troubles.all.filter(({ code }) => code === 'BROKER_UNAVAILABLE');
      expect(losses.map(({ message }) => message)).toHaveLength(1);
      expect(losses[0]?.message).not.toContain(server.secret);
      expect(await probe.recoveries.next()).toBeGreaterThan(OUTAGE_MS * 0.9);
      expect(probe.recoveries.all).toHaveLength(1);
    }
    // Only the jobs that ran or were being fetched when the broker died may have run twice.
    const twice = [...runs.values()].filter((count) => count > 1).length;
    expect(twice).toBeLessThanOrEqual(40);
    expect(printed).not.toHaveBeenCalled();
  });

  test('fails a producer with short patience, which names what it did and hides the password', async () => {
    const { server, workshop } = await open();
    const broker = await workshop.openBroker(server.url, { patienceMs: 400 });
    const queue = broker.queue('mail');
    await queue.add(newJob());
    await server.kill();
    const attempts: [doing: string, attempt: () => Promise<unknown>][] = [
      ['sending task "email.send" to queue "mail"', () => queue.add(newJob({ task: 'email.send' }))],
      ['sending 2 jobs to queue "mail"', () => queue.addBulk(newJobs(2))],
      ['counting the jobs of queue "mail"', () => queue.counts()],
      ['listing the queues', () => broker.listQueues()],
      ['reading job x of queue "mail"', () => queue.readJob('x')],
    ];
    for (const [doing, attempt] of attempts) {
      const error = (await attempt().catch((thrown: unknown) => thrown)) as TqError;
      expect(error).toBeInstanceOf(TqError);
      expect(error).toMatchObject({ code: 'BROKER_UNAVAILABLE', exitCode: 69 });
      expect(error.message).toMatch(new RegExp(`^${doing}: cannot connect to the broker .*:\\*\\*\\*@`));
      expect(error.next).not.toBe('');
      expect(`${error.message} ${error.next} ${error.cause} ${error.stack}`).not.toContain(server.secret);
    }
    await server.restart();
    await queue.add(newJob());
    expect(await queue.counts()).toMatchObject({ waiting: 2 });
  });

  test('is waited for by a consumer that was idle, which then takes new jobs', async () => {
    const { server, workshop } = await open();
    const [one, other] = [queueName(), queueName()];
    const probe = await workshop.consume([one, other], { broker: await workshop.openBroker() });
    await workshop.broker.queue(one).add(newJob());
    await probe.taken.next();
    await probe.settled();
    await server.kill();
    expect(await probe.troubles.next()).toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await server.restart();
    const jobs = newJobs(2);
    await workshop.broker.queue(one).add(jobs[0] ?? newJob());
    await workshop.broker.queue(other).add(jobs[1] ?? newJob());
    const ids = (await probe.taken.take(2)).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    await probe.recoveries.next();
    expect(probe.troubles.all).toHaveLength(1);
  });

  test('does not fail a job that logs, reports progress, ends or is postponed meanwhile', async () => {
    const { server, workshop } = await open();
    const queue = workshop.broker.queue(queueName());
    const dead = workshop.gate();
    const jobs = ['logs', 'succeeds', 'fails', 'postpones', 'releases'].map((task) => newJob({ task }));
    await queue.addBulk(jobs);
    const error = { name: 'Error', message: 'no', code: null, stack: null };
    const probe = await workshop.consume(queue.name, {
      broker: await workshop.openBroker(),
      concurrency: jobs.length,
      async perform(job) {
        if (job.timesTaken > 1) return SUCCEEDED;
        await dead.promise;
        if (job.task === 'logs') {
          await job.log('a row');
          await job.updateProgress(50);
        }
        if (job.task === 'fails') return { kind: 'retry', delayMs: 0, error };
        if (job.task === 'postpones') return { kind: 'postponed', delayMs: 0, note: 'later' };
        return job.task === 'releases' ? { kind: 'released' } : SUCCEEDED;
      },
    });
    await probe.taken.take(jobs.length);
    await server.kill();
    dead.resolve();
    await probe.troubles.next();
    await server.restart();
    await probe.taken.take(3);
    await probe.settled();
    const ended = await Promise.all(jobs.map(({ id }) => queue.readJob(id)));
    expect(ended.map((job) => job?.state)).toEqual(jobs.map(() => 'SUCCESS'));
    expect(ended.map((job) => job?.attempts)).toEqual([1, 1, 2, 1, 1]);
    expect(await queue.readLog(jobs[0]?.id ?? '')).toContain('a row');
    expect(ended[0]?.progress).toBe(50);
  });

  test('does not keep a consumer from stopping for longer than its last words', async () => {
    const { server, workshop } = await open();
    const queue = workshop.broker.queue(queueName());
    const dead = workshop.gate();
    await queue.add(newJob());
    const probe = await workshop.consume(queue.name, {
      broker: await workshop.openBroker(),
      async perform() {
        await dead.promise;
        return SUCCEEDED;
      },
    });
    await probe.taken.next();
    await server.kill();
    const stopped = probe.stop();
    dead.resolve();
    await stopped;
    expect(probe.consumer.held).toBe(0);
  });

  test('does not keep a broker that waits for a job from being closed', async () => {
    const { server, workshop } = await open();
    const broker = await workshop.openBroker();
    const queue = broker.queue(queueName());
    const job = newJob();
    await queue.add(job);
    expect(await queue.waitUntilFinished(job.id, 30)).toBe(false);
    await server.kill();
    await expect(
      (await workshop.openBroker(server.url, { skipSchema: true, patienceMs: 200 })).listQueues(),
    ).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await broker.close();
  });

  test('does not end a wait for a job, which is answered when the broker is back', async () => {
    const { server, workshop } = await open();
    const queue = workshop.broker.queue(queueName());
    const [job, other] = [newJob(), newJob()];
    await queue.addBulk([job, other]);
    const waited = Promise.all([job, other].map(({ id }) => queue.waitUntilFinished(id)));
    expect(await queue.waitUntilFinished(job.id, 30)).toBe(false);
    await server.kill();
    await server.restart();
    await workshop.consume(queue.name, { broker: await workshop.openBroker() });
    expect(await waited).toEqual([true, true]);
  });
});
