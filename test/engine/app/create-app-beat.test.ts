import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { context } from '../../../src/engine/task/context.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createStore, queueName } from '../broker/workshop.ts';
import { recordLog } from '../worker/recorded.ts';
import { setUp } from './setup.ts';

test('a beat that is given an option wrongly, or one that there is not, is not made', async () => {
  const { app } = setUp();
  await expect(app.createBeat({ take: 'both' as 'code' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  await expect(app.createBeat({ leader: true } as object)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  await expect(app.createBeat({ name: 'a beat' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});

describe.each(brokersUnderTest())('the beat of an app on $name', (store) => {
  let url: string;
  const apps: App[] = [];
  beforeAll(async () => {
    url = await createStore(store);
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });
  const create = (): { app: App; queue: string } => {
    const app = createApp({ broker: url, builtins: false }, { env: {} });
    app.task('report', async () => {});
    apps.push(app);
    return { app, queue: queueName() };
  };

  test('stores what the app declares when it starts, and removes what it declares no more', async () => {
    const { app, queue } = create();
    app.schedule({ 'old-report': { task: 'report', every: '1h', queue } });
    const first = await app.createBeat({ logger: recordLog().logger });
    await first.start();
    await first.stop();
    expect(first.state).toMatchObject({ phase: 'stopping', isLeader: false });

    const { app: next } = create();
    next.schedule({ 'new-report': { task: 'report', every: '1h', queue } });
    const log = recordLog();
    const second = await next.createBeat({ name: 'beat-%p', logger: log.logger });
    await second.start();
    const { schedules } = await next.schedules.list();
    expect(schedules.map(({ name }) => name)).toEqual(['new-report']);
    expect(log.lines.find(({ message }) => message === 'the entries that the app declares are stored')).toMatchObject({
      added: 1,
      updated: 0,
      removed: 1,
      unchanged: 0,
    });
    expect(second.name).toBe(`beat-${process.pid}`);
    await second.stop();

    // An app that declares nothing leaves the entries of others alone.
    const { app: other } = create();
    const third = await other.createBeat({ logger: recordLog().logger });
    await third.start();
    expect(third.state).toMatchObject({ isLeader: true, leader: third.name });
    await third.stop();
    await third.ended;
    expect((await other.schedules.list()).schedules).toHaveLength(1);
    await other.schedules.remove('new-report');
  });

  test('an entry of every second fires once for each second, with a beat and a worker that both go on from there', async () => {
    const { app, queue } = create();
    const ids: string[] = [];
    app.task('tick', { queue }, async () => {
      ids.push(context().id);
    });
    app.schedule({ ticking: { task: 'tick', every: '1s', queue, missed: 'all' } });
    const log = recordLog();
    const beat = await app.createBeat({ logger: log.logger });
    const worker = await app.createWorker({ queues: [queue], pool: 'async', concurrency: 2, logger: log.logger });
    await worker.start();
    await beat.start();
    await waitFor('five firings to have run', () => ids.length >= 5, { timeoutMs: 30_000 });
    await beat.stop();
    await worker.stop();
    await app.schedules.remove('ticking');

    // Where several are made up for, they may start in any order.
    const due = ids.map((id) => Number(id.split(':')[2])).sort((a, b) => a - b);
    const seconds = due.map((at) => (at - (due[0] ?? 0)) / 1000);
    expect(seconds).toEqual(Array.from({ length: seconds.length }, (_, index) => index));
    const logged = log.lines.filter(({ message }) => message === 'entry "ticking" fired').map((line) => line['job_id']);
    expect(logged.length).toBeGreaterThan(0);
    expect(new Set(logged).size).toBe(logged.length);
  });
});
