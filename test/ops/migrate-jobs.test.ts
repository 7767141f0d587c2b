import { afterEach, describe, expect, test } from 'vitest';
import type { Broker } from '../../src/engine/broker/port.ts';
import { parseFiringId } from '../../src/engine/core/schedule/firing.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { Schedules } from '../../src/engine/schedule/schedules.ts';
import { writePausedTask } from '../../src/engine/worker/admission/paused-tasks.ts';
import { execute, type GateOptions } from '../../src/ops/gate.ts';
import { type JobMigration, migrateJobs } from '../../src/ops/migrate-jobs.ts';
import type { Session } from '../../src/ops/session.ts';
import { createStore, newJob, newJobs, openWorkshop, type Workshop } from '../engine/broker/workshop.ts';
import { type BrokerUnderTest, brokersUnderTest } from '../support/brokers.ts';
import { define } from '../support/entry-definitions.ts';
import { waitFor } from '../support/wait-for.ts';
import { comparable, createTestApp, fillStore, readAll, startTestWorker } from './transfer/every-kind-of-job.ts';

const brokers = brokersUnderTest();
const pairs = brokers.flatMap((from) => brokers.map((to) => ({ from, to, title: `from ${from.name} to ${to.name}` })));
const sqlite = brokers.find(({ name }) => name === 'sqlite') as BrokerUnderTest;

const workshops: Workshop[] = [];
afterEach(async () => {
  for (const workshop of workshops.splice(0).reverse()) await workshop.close();
});

interface Side {
  readonly url: string;
  readonly workshop: Workshop;
  readonly broker: Broker;
}

async function open(underTest: BrokerUnderTest): Promise<Side> {
  const url = await createStore(underTest);
  const workshop = await openWorkshop(underTest.name, url);
  workshops.push(workshop);
  return { url, workshop, broker: workshop.broker };
}

function sessionOf(broker: Broker): Session {
  const none = async (): Promise<never> => {
    throw new Error('nobody asks for it here');
  };
  return { broker: async () => broker, results: async () => undefined, app: none, clock: systemClock };
}

async function migrate(
  source: Side,
  target: Side,
  input: { queues?: string[]; waitMs?: number } = {},
  options: Partial<GateOptions> = {},
): Promise<JobMigration> {
  const given = { from: source.url, to: target.url, ...input };
  const execution = await execute(migrateJobs, given, { session: sessionOf(source.broker), yes: true, ...options });
  if (execution.kind === 'planned') throw new Error('it was only planned');
  return execution.result;
}

const pausedOf = async ({ broker }: Side, queue: string) => (await broker.queue(queue).status(0)).paused;

describe.each(pairs)('$title', ({ from, to }) => {
  test('everything moves, the counts add up, and a chord that was half done ends there', async () => {
    const source = await open(from);
    const target = await open(to);
    const workflow = await fillStore(source.workshop, source.url);
    await source.broker.queue('plain').pause();
    await writePausedTask(source.broker.state, { task: 'gone', since: 1 });
    await source.broker.state.write('revoked/late/x', '', { ttlMs: 60_000 });
    await source.broker.state.write('held/late/a/pause/x', '{}', { ttlMs: 60_000 });
    const before = await readAll(source.broker);
    const result = await migrate(source, target);
    expect(result).toMatchObject({ moved: before.length, left: 0, failedCount: 0, schedulers: [], stopped: null });
    for (const row of result.queues) {
      expect(row.before).toBe(row.moved + row.left);
      expect(row.targetAfter).toBe(row.targetBefore + row.moved);
    }
    expect(comparable(await readAll(target.broker))).toEqual(comparable(before));
    expect([await pausedOf(source, 'late'), await pausedOf(target, 'late')]).toEqual([true, false]);
    expect([await pausedOf(source, 'plain'), await pausedOf(target, 'plain')]).toEqual([true, true]);
    expect(await target.broker.queue('first').hasPriorities(true)).toBe(true);
    for (const key of ['pause/task/gone', 'revoked/late/x', 'held/late/a/pause/x']) {
      expect(await target.broker.state.read(key)).toMatchObject({ key });
    }
    await startTestWorker(target.workshop, createTestApp(target.workshop, target.url), ['default', 'late']);
    const app = createTestApp(target.workshop, target.url);
    expect(await app.result(workflow).get({ timeout: 15_000 })).toBe(433);
  });

  test('schedule entries move with their pause, their count and what is due, and fire on in the target alone', async () => {
    const [source, target] = [await open(from), await open(to)];
    const [here, there] = [source, target].map(({ broker }) => new Schedules({ broker, clock: systemClock }));
    await here?.add('daily', define({ cron: '0 3 * * *', queue: 'mail' }));
    await here?.add('resting', define({ cron: '0 3 * * *', queue: 'mail' }), { isPaused: true });
    await here?.add('second', define({ every: '1s', missed: 'all', queue: 'mail' }));
    await here?.add('elsewhere', define({ cron: '0 3 * * *', queue: 'other' }));
    const { nextAt } = (await here?.read('daily')) ?? {};
    await source.broker.queue('mail').add(newJob());
    await waitFor('the firing ahead to be due', async () => {
      const found = await here?.read('second');
      return typeof found?.nextAt === 'number' && found.nextAt <= systemClock.now();
    });
    expect(await migrate(source, target, { queues: ['mail'] })).toMatchObject({
      ...{ entries: ['daily', 'resting', 'second'], schedulers: [], moved: 2, left: 0, failedCount: 0, stopped: null },
    });
    expect((await here?.list())?.schedules).toMatchObject([{ name: 'elsewhere', enabled: true }]);
    expect(await source.broker.queue('mail').schedules.size()).toBe(0);
    expect((await there?.list())?.schedules).toMatchObject([
      { name: 'daily', enabled: true, nextAt, runs: 0 },
      { name: 'resting', enabled: false, nextAt: null },
      { name: 'second', enabled: true, ahead: expect.stringMatching(/scheduled|waiting/) },
    ]);
    const ids = (await readAll(target.broker)).map(({ id }) => id);
    const due = ids.flatMap((id) => parseFiringId(id, 'second') ?? []).sort((a, b) => a - b);
    expect(due.length).toBeGreaterThan(1);
    expect(due.slice(1).map((at, index) => at - (due[index] ?? 0))).toEqual(due.slice(1).map(() => 1000));
    expect(await migrate(source, target)).toMatchObject({ entries: ['elsewhere'], left: 0, stopped: null });
  });
});

describe('between two files', () => {
  test('a migration that was stopped after any page goes on, and neither loses nor doubles a job', async () => {
    const [source, target] = [await open(sqlite), await open(sqlite)];
    await source.broker.queue('mail').addBulk(newJobs(700));
    const before = await readAll(source.broker);
    const stopping = new AbortController();
    const first = await migrate(source, target, {}, { signal: stopping.signal, onProgress: () => stopping.abort() });
    expect(first.stopped).toContain('asked to stop');
    expect(first.left).toBe(700 - first.moved);
    expect([await pausedOf(source, 'mail'), await pausedOf(target, 'mail')]).toEqual([true, true]);
    expect(await migrate(source, target)).toMatchObject({ moved: first.left, left: 0, stopped: null });
    expect(comparable(await readAll(target.broker))).toEqual(comparable(before));
    expect([await pausedOf(source, 'mail'), await pausedOf(target, 'mail')]).toEqual([true, false]);
  });

  test('what comes into the source later is moved by another run, and the target goes on after it', async () => {
    const [source, target] = [await open(sqlite), await open(sqlite)];
    await source.broker.queue('mail').add(newJob({ id: 'early' }));
    await migrate(source, target);
    await source.broker.queue('mail').add(newJob({ id: 'late' }));
    expect(await migrate(source, target)).toMatchObject({ moved: 1, left: 0 });
    expect(await pausedOf(target, 'mail')).toBe(false);
    expect((await readAll(target.broker)).map(({ id }) => id)).toEqual(['early', 'late']);
  });

  test('a job that both have already is only removed, one of the same id that is another job stays', async () => {
    const [source, target] = [await open(sqlite), await open(sqlite)];
    const both = newJob({ id: '1', args: [1] });
    await source.broker.queue('mail').addBulk([both, newJob({ id: '2', args: ['ours'] })]);
    await target.broker.queue('mail').addBulk([both, newJob({ id: '2', args: ['theirs'] })]);
    expect(await migrate(source, target)).toMatchObject({
      ...{ moved: 1, left: 1, failedCount: 1 },
      failed: [{ id: '2', message: 'queue "mail" of the target has another job of this id' }],
    });
    expect(await target.broker.queue('mail').readJob('2')).toMatchObject({ args: ['theirs'] });
    expect(await source.broker.queue('mail').readJob('2')).toMatchObject({ args: ['ours'] });
  });

  test('while jobs run nothing is moved: in the end it names them, and the queues are as they were', async () => {
    const [source, target] = [await open(sqlite), await open(sqlite)];
    const gate = source.workshop.gate();
    const job = newJob();
    await source.broker.queue('mail').add(job);
    const probe = await source.workshop.consume('mail', {
      perform: async () => {
        await gate.promise;
        return { kind: 'succeeded', result: undefined };
      },
    });
    await probe.taken.next();
    await expect(migrate(source, target, { waitMs: 0 })).rejects.toMatchObject({
      ...{ code: 'MIGRATION_BUSY', exitCode: 4 },
      message: expect.stringContaining(job.id),
    });
    expect(await pausedOf(source, 'mail')).toBe(false);
    gate.resolve();
    await probe.settled();
    expect(await migrate(source, target)).toMatchObject({ moved: 1, left: 0 });
  });

  test('a flow is not torn', async () => {
    const [source, target] = [await open(sqlite), await open(sqlite)];
    await fillStore(source.workshop, source.url);
    await expect(migrate(source, target, { queues: ['default'] })).resolves.toMatchObject({ stopped: null });
    await source.workshop.plainFlow({
      ...{ name: 'parent', queueName: 'top' },
      children: [{ name: 'child', queueName: 'below' }],
    });
    await expect(migrate(source, target, { queues: ['below'] })).rejects.toMatchObject({
      ...{ code: 'FLOW_SPLIT', next: expect.stringContaining('-Q below,top') },
    });
    expect(await pausedOf(source, 'below')).toBe(false);
    expect(await migrate(source, target, { queues: ['below', 'top'] })).toMatchObject({ moved: 2, left: 0 });
  });

  test("the jobs of BullMQ's job schedulers stay, and are named", async () => {
    const [source, target] = [await open(sqlite), await open(sqlite)];
    await source.workshop.plainQueue('plain').upsertJobScheduler('nightly', { every: 3_600_000 });
    await source.broker.queue('plain').add(newJob());
    expect(await migrate(source, target)).toMatchObject({ moved: 1, left: 1, schedulers: ['nightly'], stopped: null });
  });

  test('a broker is not moved into itself', async () => {
    const source = await open(sqlite);
    await source.broker.queue('mail').add(newJob());
    const again = { ...source, url: `${source.url}?busyTimeout=9000` };
    for (const target of [source, again]) {
      await expect(migrate(source, target)).rejects.toMatchObject({ code: 'SAME_BROKER', exitCode: 2 });
    }
    expect(await pausedOf(source, 'mail')).toBe(false);
  });

  test('a dry run counts, and makes no file', async () => {
    const source = await open(sqlite);
    await source.broker.queue('mail').addBulk(newJobs(3));
    const given = { from: source.url, to: 'sqlite:/nowhere/at/all.db' };
    expect(await execute(migrateJobs, given, { session: sessionOf(source.broker), dryRun: true })).toMatchObject({
      plan: { count: 3, rows: [{ queue: 'mail', jobs: 3, active: 0 }] },
    });
    expect(await pausedOf(source, 'mail')).toBe(false);
  });
});
