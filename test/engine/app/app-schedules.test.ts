import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { EntryOptions } from '../../../src/engine/schedule/entry-options.ts';
import { context } from '../../../src/engine/task/context.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createChannel } from '../broker/channel.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { setUp } from './setup.ts';

const hourly = { task: 'work', every: '1h' } as const;

function setUpTasks(options: Parameters<typeof setUp>[0] = {}) {
  const parts = setUp(options);
  parts.app.task('work', () => 1);
  parts.app.task('checked', { input: z.object({ to: z.email() }), queue: 'mail' }, () => 1);
  return parts;
}

describe('declaring entries', () => {
  test('they are checked and kept in order, and nothing is connected', () => {
    const { app, opened } = setUpTasks();
    const task = app.task('own', () => 1);
    app.schedule({ b: hourly, a: { ...hourly, task, enabled: false } });
    app.schedule({ c: { task: 'checked', args: [{ to: 'a@b.c' }], cron: '@daily' } });
    expect(app.declaredEntries).toMatchObject([
      { name: 'b', enabled: true, definition: { task: 'work', queue: 'default' } },
      { name: 'a', enabled: false, definition: { task: 'own' } },
      { name: 'c', enabled: true, definition: { queue: 'mail' } },
    ]);
    expect(opened).toEqual([]);
  });

  test('one without a time zone of its own is in that of the app', () => {
    const { app } = setUpTasks({ timezone: 'America/New_York' });
    const cron = { task: 'work', cron: '0 3 * * *' };
    app.schedule({ a: cron, b: { ...cron, timezone: 'Europe/Berlin' } });
    const zones = app.declaredEntries.map(({ definition }) => definition.schedule.timezone);
    expect(zones).toEqual(['America/New_York', 'Europe/Berlin']);
  });

  test.each<[Record<string, EntryOptions>, string, string]>([
    [{ b: { ...hourly, task: 'wrok' } }, 'UNKNOWN_TASK', 'did you mean "work"?'],
    [{ b: { ...hourly, queue: 'lwo' } }, 'UNDECLARED_QUEUE', 'did you mean "low"?'],
    [{ b: { task: 'work', cron: '99 * * * *' } }, 'INVALID_SCHEDULE', 'schedule entry "b": cron'],
    [{ a: hourly }, 'ENTRY_EXISTS', 'an entry that this app has declared'],
    ['nothing' as never, 'INVALID_OPTION', 'an object of entries by name'],
  ])('what is wrong with %o is found at once, and then none of them is declared', (entries, code, words) => {
    const { app } = setUpTasks({ queues: ['default', 'low', 'mail'] });
    app.schedule({ a: hourly });
    const declare = (): void => app.schedule({ fine: hourly, ...entries });
    if (typeof entries === 'string') expect(() => app.schedule(entries)).toThrow(words);
    else {
      expect(declare).toThrow(words);
      expect(declare).toThrow(expect.objectContaining({ code }));
    }
    expect(app.declaredEntries.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('app.schedules', () => {
  test('reconcile stores what is declared, on queues that have their priorities by then', async () => {
    const { app, broker } = setUpTasks({ queues: [{ name: 'default', priorities: true }, 'mail'] });
    app.schedule({ a: { ...hourly, priority: 5 }, b: { ...hourly, enabled: false } });
    expect(await app.schedules.reconcile()).toMatchObject({ added: ['a', 'b'], failed: [] });
    expect(broker.queue('default').schedules.armed.get('a')).toMatchObject({ job: { priority: 5 } });
    expect((await app.schedules.list()).schedules).toMatchObject([
      { name: 'a', source: 'code', enabled: true },
      { name: 'b', source: 'code', enabled: false },
    ]);
  });

  test('an app that says nothing of entries leaves those of another alone, and one that says none removes them', async () => {
    const { app } = setUpTasks();
    app.schedule({ a: hourly });
    await app.schedules.reconcile();
    const broker = await app.broker();
    const other = setUpTasks();
    other.broker.state = broker.state;
    expect(await other.app.schedules.reconcile()).toMatchObject({ removed: [] });
    other.app.schedule({});
    expect(await other.app.schedules.reconcile()).toMatchObject({ removed: ['a'] });
  });

  test('apps with names of their own leave each other their entries, and take over none', async () => {
    const one = setUpTasks({ name: 'billing' });
    const other = setUpTasks({ name: 'mail' });
    other.broker.state = (await one.app.broker()).state;
    one.app.schedule({ bills: hourly, both: hourly });
    await one.app.schedules.reconcile();
    other.app.schedule({ letters: hourly, both: hourly });
    expect(await other.app.schedules.reconcile()).toMatchObject({
      ...{ added: ['letters'], removed: [] },
      failed: [{ name: 'both', error: { code: 'ENTRY_EXISTS', message: expect.stringContaining('"billing"') } }],
    });
    expect((await one.app.schedules.list()).schedules).toMatchObject([
      { name: 'bills', app: 'billing' },
      { name: 'both', app: 'billing' },
      { name: 'letters', app: 'mail' },
    ]);
    const later = setUpTasks({ name: 'billing' });
    later.broker.state = other.broker.state;
    later.app.schedule({});
    expect(await later.app.schedules.reconcile()).toMatchObject({ removed: ['bills', 'both'] });
  });

  test('an app that is given a name takes along what it declared without one', async () => {
    const unnamed = setUpTasks();
    unnamed.app.schedule({ a: hourly });
    await unnamed.app.schedules.reconcile();
    const named = setUpTasks({ name: 'billing' });
    named.broker.state = (await unnamed.app.broker()).state;
    named.app.schedule({ a: hourly });
    expect(await named.app.schedules.reconcile()).toMatchObject({ updated: ['a'], failed: [] });
    expect(await unnamed.app.schedules.reconcile()).toMatchObject({ failed: [{ name: 'a' }] });
  });

  test('arguments are checked by the schema of their task before anything is stored', async () => {
    const { app, broker } = setUpTasks();
    app.schedule({ a: hourly, b: { task: 'checked', args: [{ to: 'nobody' }], every: '1h' } });
    await expect(app.schedules.reconcile()).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
    expect(await broker.state.list('schedule/')).toEqual([]);
    const wrong = { task: 'checked', args: [{}], every: '1h' };
    await expect(app.schedules.add('c', wrong)).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });

  test('a priority is refused where the queue has none', async () => {
    const { app } = setUpTasks();
    const wish = { ...hourly, priority: 5 };
    await expect(app.schedules.add('a', wish)).rejects.toMatchObject({ code: 'PRIORITIES_OFF' });
    app.schedule({ a: wish });
    await expect(app.schedules.reconcile()).rejects.toMatchObject({ code: 'PRIORITIES_OFF' });
  });

  test('an entry is added, edited, paused, resumed, fired and removed', async () => {
    const { app, broker, clock } = setUpTasks();
    await expect(app.schedules.add('a', { ...hourly, task: 'other' })).rejects.toMatchObject({ code: 'UNKNOWN_TASK' });
    await app.schedules.add('a', { ...hourly, task: 'other' }, { anyTask: true });
    expect(await app.schedules.add('a', hourly, { replace: true })).toMatchObject({ task: 'work', source: 'operator' });
    expect(await app.schedules.pause('a')).toMatchObject({ enabled: false });
    const result = await app.schedules.run('a');
    expect(broker.sent).toMatchObject([
      { id: result.id, task: 'work', meta: { schedule: { entry: 'a', dueAt: clock.now() } } },
    ]);
    expect(await app.schedules.resume('a')).toMatchObject({ enabled: true });
    expect(await app.schedules.add('a', { ...hourly, enabled: false }, { replace: true })).toMatchObject({
      enabled: false,
    });
    await app.schedules.remove('a');
    await expect(app.schedules.read('a')).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
  });

  test('due times are previewed of a stored entry and of one that is not', async () => {
    const { app, clock } = setUpTasks();
    await app.schedules.add('a', hourly);
    const [first] = await app.schedules.next('a', 1);
    expect(first?.at).toBe(Math.ceil(clock.now() / 3_600_000) * 3_600_000);
    expect(await app.schedules.next({ task: 'any', cron: '0 3 * * *', timezone: 'Europe/Berlin' })).toHaveLength(10);
    await expect(app.schedules.next('a', 0)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(app.schedules.next('b')).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
  });

  test('options that there are not are refused', async () => {
    const { app } = setUpTasks();
    const { schedules } = app;
    for (const wrong of [
      schedules.add('a', hourly, { repalce: true } as never),
      schedules.list({ form: 'a' } as never),
      schedules.reconcile({ tkae: 'code' } as never),
    ]) {
      await expect(wrong).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
    }
    await expect(schedules.reconcile({ take: 'all' as never })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(schedules.list({ limit: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe.each(brokersUnderTest())('on $name', (store) => {
  let bench: LiveBench;
  afterEach(() => bench.close());

  test('an entry fires again and again without a beat, and by hand besides', async () => {
    bench = createLiveBench(await createStore(store));
    const app = bench.createApp();
    const fired = createChannel<string>();
    app.task('tick', (text: string) => fired.push(`${text} ${context().id}`));
    app.schedule({ 'every/second': { task: 'tick', args: ['hello'], every: '1s' } });
    await app.schedules.reconcile();
    await bench.startWorker(app);
    const [one, two] = [await fired.next(), await fired.next()];
    expect(one).toMatch(/^hello repeat:every\/second:\d+$/);
    expect(two).toMatch(/^hello repeat:every\/second:\d+$/);
    expect(two).not.toBe(one);
    await app.schedules.pause('every/second');
    const result = await app.schedules.run('every/second');
    await result.get({ timeout: '20s' });
    expect((await app.schedules.read('every/second')).runs).toBeGreaterThanOrEqual(2);
  });
});
