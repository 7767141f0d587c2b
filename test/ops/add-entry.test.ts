import { number, object, string } from 'valibot';
import { afterEach, expect, test } from 'vitest';
import { createApp } from '../../src/engine/app/create-app.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { addEntry } from '../../src/ops/add-entry.ts';
import { execute } from '../../src/ops/gate.ts';
import type { Session } from '../../src/ops/session.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { schedulesOf } from '../cli/stored-entries.ts';

const HOURLY = { name: 'a', task: 'report', everyMs: 3_600_000 };

test('with the broker alone it is stored as it is given, and nobody has checked it', async () => {
  const broker = new FakeBroker().store('default');
  const session = createFakeSession(broker);
  expect(await execute(addEntry, { ...HOURLY, args: [1] }, { session })).toEqual({
    kind: 'done',
    result: {
      ...{ name: 'a', task: 'report', queue: 'default', schedule: 'every hour', timezone: 'UTC', enabled: true },
      ...{ nextAt: NOW + 3_600_000, outcome: 'added', checked: false },
    },
  });
  expect(broker.queue('default').schedules.armed.get('a')).toMatchObject({ dueAt: NOW + 3_600_000 });
  expect(await schedulesOf(broker).read('a')).toMatchObject({ source: 'operator', args: [1] });
});

test('an entry that is there is changed with --replace alone, and the difference is shown', async () => {
  const broker = new FakeBroker();
  const session = createFakeSession(broker);
  await execute(addEntry, HOURLY, { session });
  const other = { ...HOURLY, everyMs: 60_000, args: [1] };
  await expect(execute(addEntry, other, { session })).rejects.toMatchObject({
    code: 'ENTRY_EXISTS',
    next: expect.stringContaining('args: [] → [1]; schedule: every hour (UTC) → every minute (UTC)'),
  });
  expect(await execute(addEntry, { ...other, replace: true }, { session, dryRun: true })).toEqual({
    kind: 'planned',
    plan: {
      ...{ summary: 'would change schedule entry "a"', count: 0 },
      rows: [
        { field: 'args', from: '[]', to: '[1]' },
        { field: 'schedule', from: 'every hour (UTC)', to: 'every minute (UTC)' },
      ],
    },
  });
  expect((await schedulesOf(broker).read('a')).schedule).toBe('every hour');
  expect(await execute(addEntry, { ...other, replace: true }, { session })).toMatchObject({
    result: { outcome: 'changed', schedule: 'every minute' },
  });
});

test('the same again changes nothing and is no error', async () => {
  const session = createFakeSession();
  await execute(addEntry, HOURLY, { session });
  expect(await execute(addEntry, HOURLY, { session })).toMatchObject({ result: { outcome: 'unchanged' } });
  await expect(execute(addEntry, { ...HOURLY, paused: true }, { session })).rejects.toMatchObject({
    next: expect.stringContaining('enabled: true → false'),
  });
});

test('a dry run says when it would fire first, and stores nothing', async () => {
  const broker = new FakeBroker();
  expect(await execute(addEntry, HOURLY, { session: createFakeSession(broker), dryRun: true })).toMatchObject({
    plan: {
      ...{ summary: 'would add schedule entry "a"', count: 0 },
      rows: [{ name: 'a', task: 'report', queue: 'default', fires: 'every hour', next: '2031-05-01T13:00:00.000Z' }],
    },
  });
  expect(await broker.state.size('schedule/entry/')).toBe(0);
});

test('one that is added paused does not fire, and a replacement leaves a pause as it is', async () => {
  const broker = new FakeBroker();
  const session = createFakeSession(broker);
  expect(await execute(addEntry, { ...HOURLY, paused: true }, { session })).toMatchObject({
    result: { enabled: false, nextAt: null },
  });
  expect(await execute(addEntry, { ...HOURLY, args: [1], replace: true }, { session })).toMatchObject({
    result: { enabled: false, nextAt: null },
  });
});

test('what cannot be is refused before anything is stored', async () => {
  const session = createFakeSession();
  const refused = async (given: object) => {
    const error: unknown = await execute(addEntry, { ...HOURLY, ...given }, { session }).catch((thrown) => thrown);
    return (error as { code: string }).code;
  };
  expect(await refused({ name: 'a b' })).toBe('INVALID_ENTRY_NAME');
  expect(await refused({ cron: '0 3 * * *' })).toBe('INVALID_SCHEDULE');
  expect(await refused({ timezone: 'Europe/Bertin' })).toBe('INVALID_SCHEDULE');
  expect(await refused({ missed: 'all', overlap: 'skip' })).toBe('INVALID_SCHEDULE');
  expect(await refused({ priority: 12 })).toBe('USAGE');
  expect(await session.fake.state.size('schedule/entry/')).toBe(0);
});

const apps: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** A session of a project whose app has one task. */
function createAppSession(): Session {
  const app = createApp({
    broker: 'sqlite::memory:',
    queues: ['default', 'mail'],
    routes: { 'mail.*': 'mail' },
    timezone: 'Europe/Berlin',
  });
  apps.push(app);
  app.task('mail.send', { input: object({ to: string(), count: number() }) }, () => undefined);
  return {
    ...{ isAppNamed: true, clock: systemClock, app: async () => app, broker: () => app.broker() },
    results: async () => undefined,
  };
}

test('with an app the task must be registered, its queue declared and its arguments fit', async () => {
  const session = createAppSession();
  const mail = { name: 'a', task: 'mail.send', everyMs: 3_600_000, args: [{ to: 'x', count: 1 }] };
  await expect(execute(addEntry, { ...mail, task: 'mail.sent' }, { session })).rejects.toMatchObject({
    code: 'UNKNOWN_TASK',
    message: expect.stringContaining('mail.send'),
  });
  await expect(execute(addEntry, { ...mail, queue: 'male' }, { session })).rejects.toMatchObject({
    code: 'UNDECLARED_QUEUE',
  });
  for (const dryRun of [true, false]) {
    await expect(execute(addEntry, { ...mail, args: [{ to: 'x' }] }, { session, dryRun })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENTS',
    });
  }
  expect(await execute(addEntry, mail, { session })).toMatchObject({
    result: { queue: 'mail', timezone: 'Europe/Berlin', outcome: 'added', checked: true },
  });
  expect(await execute(addEntry, mail, { session })).toMatchObject({ result: { outcome: 'unchanged' } });
});
