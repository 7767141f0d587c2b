import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../src/engine/app/create-app.ts';
import { createError } from '../../src/engine/core/errors.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { READING } from '../../src/ops/operation.ts';
import { runCheckup } from '../../src/ops/run-checkup.ts';
import type { Session } from '../../src/ops/session.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { loseRecord } from '../engine/broker/lost-record.ts';
import { createStore, newJob, openWorkshop, type Workshop } from '../engine/broker/workshop.ts';
import { recordLog } from '../engine/worker/recorded.ts';
import { brokersUnderTest } from '../support/brokers.ts';

const STATS = { version: '1.0.0', node: 'v24.0.0', queues: ['mail'], startedAt: NOW - 1000, uptimeMs: 1000 };

async function statusesOf(broker: FakeBroker): Promise<Record<string, string>> {
  const { findings } = await runCheckup.run(createFakeSession(broker), {}, READING);
  return Object.fromEntries(findings.map(({ check, status }) => [check, status]));
}

test('an empty broker has no faults', async () => {
  const statuses = await statusesOf(new FakeBroker());
  expect(Object.values(statuses).every((status) => status === 'ok')).toBe(true);
  expect(Object.keys(statuses)).toEqual(['broker', 'broker-clock', 'node', 'workers', 'beat', 'queues']);
});

test('workers, queues and what is left over are looked at together', async () => {
  const broker = new FakeBroker()
    .store('mail', { task: 'mail.send' }, { state: 'STARTED', id: 'lost' })
    .store('video', {});
  broker.control.add('tq@a', { stats: { ...STATS, startedAt: NOW - 61_000 }, registered: [{ task: 'mail.sent' }] });
  broker.checkup.time = NOW + 5000;
  broker.checkup.leftovers.set('mail', { strayKeys: [{ key: 'k', holder: 'x' }] });
  expect(await statusesOf(broker)).toMatchObject({
    ...{ 'broker-clock': 'warning', 'worker-clocks': 'failed', 'unserved-queues': 'failed' },
    ...{ 'unregistered-tasks': 'failed', 'lost-jobs': 'warning', 'unique-keys': 'failed', schedules: 'ok' },
  });
  expect(broker.changes).toEqual([]);
});

test('tasks are not judged where a worker has not said what it registers, or none of tq serves the queue', async () => {
  const broker = new FakeBroker().store('mail', { task: 'mail.send' });
  broker.control.add('tq@a', { stats: STATS, registered: new Error('broken') });
  expect(await statusesOf(broker)).toMatchObject({ 'unregistered-tasks': 'ok' });
  const foreign = new FakeBroker().store('mail', { task: 'mail.send' });
  foreign.queue('mail').consumers = 1;
  expect(await statusesOf(foreign)).toMatchObject({ 'unregistered-tasks': 'ok', 'unserved-queues': 'ok' });
});

test('a command that the server forbids hides no other check', async () => {
  const broker = new FakeBroker();
  broker.checkup.settings = createError('INTERNAL', { doing: 'reading its settings', reason: 'NOPERM info' });
  expect(await statusesOf(broker)).toMatchObject({ settings: 'skipped', queues: 'ok' });
});

test('its command line says the same', () => {
  expect(runCheckup.commandLine({ timeoutMs: 500 })).toEqual(['doctor', '--timeout', '500ms']);
});

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let workshop: Workshop;
  beforeEach(async () => {
    workshop = await openWorkshop(underTest.name, await createStore(underTest));
  });
  afterEach(() => workshop.close());

  const check = async (): Promise<Record<string, string>> => {
    const session: Session = {
      broker: async () => workshop.broker,
      results: async () => undefined,
      app: () => Promise.reject(new Error('no application is needed')),
      clock: systemClock,
    };
    const { findings } = await runCheckup.run(session, {}, READING);
    return Object.fromEntries(findings.map(({ check: name, status }) => [name, status]));
  };

  test('the queues of a plain BullMQ application are checked', async () => {
    const plain = workshop.plainQueue('mail');
    const { id = '' } = await plain.add('mail', { to: 'ada' }, { deduplication: { id: 'ada' } });
    await plain.add('mail', { to: 'bob' });
    const tick = await plain.upsertJobScheduler('tick', { every: 60_000 }, { name: 'tick' });
    expect(await check()).toMatchObject({ 'unserved-queues': 'failed', 'unique-keys': 'ok', schedules: 'ok' });
    for (const lost of [id, tick?.id ?? '']) await loseRecord(workshop, 'mail', lost);
    await workshop.plainWorker('mail', () => null);
    expect(await check()).toMatchObject({
      ...{ broker: 'ok', 'broker-clock': 'ok', 'unserved-queues': 'ok', 'lost-jobs': 'ok', orphans: 'ok' },
      ...{ 'unique-keys': 'failed', schedules: 'failed', 'event-logs': 'ok' },
    });
  });

  test('live workers are asked for versions, clocks and tasks', async () => {
    const app = createApp({ broker: workshop.url, builtins: false }, { env: {} });
    workshop.afterwards(() => app.close());
    const gate = workshop.gate();
    app.task('known', () => gate.promise);
    const worker = await app.createWorker({ queues: ['mail'], concurrency: 1, logger: recordLog().logger });
    workshop.afterwards(() => worker.stopNow());
    await worker.start();
    const queue = workshop.broker.queue('mail');
    await queue.add(newJob({ task: 'known' }));
    await expect.poll(async () => (await queue.counts()).active).toBe(1);
    await queue.add(newJob({ task: 'knwon' }));
    expect(await check()).toMatchObject({
      ...{ workers: 'ok', versions: 'ok', 'worker-clocks': 'ok', 'unserved-queues': 'ok', 'lost-jobs': 'ok' },
      ...{ 'unregistered-tasks': 'failed' },
    });
  });
});
