import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../src/engine/app/create-app.ts';
import type { LiveBeat } from '../../src/engine/beat/live-beats.ts';
import type { HealthComponent } from '../../src/engine/core/health/report.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { checkHealth } from '../../src/ops/check-health.ts';
import { READING } from '../../src/ops/operation.ts';
import type { Session } from '../../src/ops/session.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { createStore, newJob, openWorkshop, type Workshop } from '../engine/broker/workshop.ts';
import { recordLog } from '../engine/worker/recorded.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { storeLiveBeat } from '../support/live-beat.ts';

type Input = Parameters<typeof checkHealth.run>[1];

async function probe(broker: FakeBroker, input: Input): Promise<HealthComponent> {
  const { components } = await checkHealth.run(createFakeSession(broker), input, READING);
  expect(components).toHaveLength(1);
  return components[0] as HealthComponent;
}

const WELL = { health: { live: true, ready: true, problems: [] }, pid: 7, host: 'box', active: 2 };

describe('one worker', () => {
  test('is well when it answers and is ready', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { stats: WELL });
    const found = await probe(broker, { worker: 'tq@a', timeoutMs: 300 });
    expect(found).toMatchObject({ name: 'worker', status: 'ok', worker: 'tq@a', answers: true, pid: 7, active: 2 });
    expect(broker.control.questions).toMatchObject([{ command: 'stats', destinations: ['tq@a'], timeoutMs: 300 }]);
  });

  test('that is not ready has failed, and says why', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { stats: { ...WELL, health: { live: true, ready: false, problems: ['it stops'] } } });
    const found = await probe(broker, { worker: 'tq@a' });
    expect(found).toMatchObject({ status: 'failed', answers: true, live: true });
    expect(found.message).toBe('tq@a is not ready: it stops');
  });

  test('that answers with an error, or with nothing of use, has failed', async () => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { stats: new Error('out of luck') });
    broker.control.add('tq@b', { stats: 'fine' });
    const found = await probe(broker, { worker: 'tq@a' });
    expect(found).toMatchObject({ status: 'failed', answers: true, message: 'tq@a: out of luck' });
    expect(await probe(broker, { worker: 'tq@b' })).toMatchObject({ status: 'failed', answers: true });
  });

  test('that does not answer is told from one that is not live', async () => {
    const broker = new FakeBroker();
    const messageFor = async (worker: string): Promise<string> => {
      const found = await probe(broker, { worker });
      expect(found).toMatchObject({ status: 'failed', answers: false });
      return found.message;
    };
    expect(await messageFor('tq@a')).toBe('tq@a is not live, and no other worker is');
    broker.control.add('tq@hung', {});
    expect(await messageFor('tq@hung')).toContain('tq@hung is live and does not answer');
    expect(await messageFor('tq@hang')).toBe('tq@hang is not live; did you mean tq@hung?');
    expect(await messageFor('something-else')).toBe('something-else is not live; live are tq@hung');
  });
});

test('%h in the name of a worker is the name of this host', async () => {
  expect(await probe(new FakeBroker(), { worker: 'tq@%h' })).toMatchObject({ worker: `tq@${hostname()}` });
});

describe('the beat', () => {
  async function beats(...all: Partial<LiveBeat>[]): Promise<HealthComponent> {
    const broker = new FakeBroker();
    for (const [index, beat] of all.entries()) {
      await storeLiveBeat(broker, { name: `beat@${index}`, since: NOW - 60_000, entries: 3, ...beat });
    }
    return await probe(broker, { beat: true });
  }

  test('is well when one leads and is current', async () => {
    const found = await beats({}, { isLeader: true, lastTickAt: NOW - 900 });
    expect(found).toMatchObject({ name: 'beat', status: 'ok', answers: true, beats: 2, leader: 'beat@1', entries: 3 });
    expect(found).toMatchObject({ lastTickAgeMs: 900, overdue: 0 });
    expect(found.message).toBe('beat@1 leads and keeps 3 entries');
  });

  test('gives no answer when none is live', async () => {
    expect(await beats()).toMatchObject({ status: 'failed', answers: false, beats: 0, leader: null });
  });

  test('has failed while none leads, and when the leader has stopped looking', async () => {
    expect(await beats({})).toMatchObject({ status: 'failed', answers: true, beats: 1, leader: null });
    expect(await beats({ isLeader: true, lastTickAt: NOW - 31_000 })).toMatchObject({
      status: 'failed',
      answers: true,
    });
    expect(await beats({ isLeader: true })).toMatchObject({ status: 'failed' });
    expect(await beats({ isLeader: true, since: NOW - 1000 })).toMatchObject({ status: 'ok' });
  });

  test('is well when the leader led before, and has not looked since it leads again', async () => {
    const found = await beats({ isLeader: true, lastTickAt: NOW - 31_000, since: NOW - 1000 });
    expect(found).toMatchObject({ status: 'ok' });
  });

  test('is degraded while firings have not started', async () => {
    const found = await beats({ isLeader: true, lastTickAt: NOW, overdue: 2 });
    expect(found).toMatchObject({ status: 'degraded', overdue: 2 });
    expect(found.message).toContain('2 entries have firings that should have started over a minute ago');
  });
});

describe('a broker that is away', () => {
  test('gives a report and no error, and nobody loads the app to know it', async () => {
    const session = createFakeSession(new FakeBroker().break(), () => Promise.reject(new Error('no app is needed')));
    const input: Input = { only: ['broker'], worker: 'tq@a', beat: true };
    const { status, components } = await checkHealth.run(session, input, READING);
    expect(status).toBe('failed');
    expect(components.map(({ name, answers }) => [name, answers])).toEqual([
      ['broker', false],
      ['worker', false],
      ['beat', false],
    ]);
  });
});

test('its command line says the same', () => {
  const input = { only: ['broker', 'disk'] as const, worker: 'tq@a', beat: true, timeoutMs: 500 };
  expect(checkHealth.commandLine({ ...input, only: [...input.only] })).toEqual([
    ...['health', '--only', 'broker,disk', '--worker', 'tq@a', '--beat', '--timeout', '500ms'],
  ]);
});

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let workshop: Workshop;
  beforeEach(async () => {
    workshop = await openWorkshop(underTest.name, await createStore(underTest));
  });
  afterEach(() => workshop.close());

  test('health.check run by a worker finds what is found from outside, by the limits of the app', async () => {
    const app = createApp(
      { broker: workshop.url, builtins: { health: { deadLetters: 0, leastDisk: 1 } } },
      { env: {} },
    );
    workshop.afterwards(() => app.close());
    app.task('broken', () => {
      throw new Error('out of luck');
    });
    const worker = await app.createWorker({ concurrency: 2, name: 'tq@here', logger: recordLog().logger });
    workshop.afterwards(() => worker.stopNow());
    await worker.start();
    await (await app.send('broken')).get().catch(() => undefined);
    await workshop.broker.queue('lost').add(newJob({}));
    const session: Session = {
      broker: async () => workshop.broker,
      results: async () => undefined,
      app: async () => app,
      clock: systemClock,
    };
    const outside = await checkHealth.run(session, {}, READING);
    const inside = await (await app.send<typeof outside>('health.check')).get();
    for (const report of [inside, outside, await app.health()]) {
      expect(report.components.map(({ name }) => name)).toEqual(['broker', 'queues', 'workers', 'disk', 'memory']);
      expect(report.components.slice(0, 4)).toMatchObject([
        { status: 'ok', answers: true },
        { status: 'degraded', dead: 1, unserved: ['lost'], waiting: 1 },
        { status: 'ok', live: 1, ready: 1, silent: [] },
        { status: 'ok' },
      ]);
    }
    expect(await checkHealth.run(session, { worker: 'tq@here' }, READING)).toMatchObject({ status: 'ok' });
  });

  test('a beat is found once it leads, and no more once it has stopped', async () => {
    const app = createApp({ broker: workshop.url }, { env: {} });
    workshop.afterwards(() => app.close());
    const session = { ...createFakeSession(), broker: async () => workshop.broker, clock: systemClock };
    const look = () => checkHealth.run(session, { beat: true }, READING);
    expect(await look()).toMatchObject({ status: 'failed', components: [{ answers: false }] });
    const beat = await app.createBeat({ name: 'beat@here', logger: recordLog().logger });
    workshop.afterwards(() => beat.stop());
    await beat.start();
    await expect.poll(look).toMatchObject({ status: 'ok', components: [{ leader: 'beat@here', beats: 1 }] });
    await beat.stop();
    expect(await look()).toMatchObject({ status: 'failed', components: [{ answers: false, beats: 0 }] });
  });
});

test('app.health() refuses options that it does not know', async () => {
  const app = createApp({ broker: 'sqlite::memory:' }, { env: {} });
  await expect(app.health({ only: ['brokr'] } as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  await expect(app.health({ olny: [] } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  await app.close();
});
