import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { pauseEntries } from '../../src/ops/pause-entries.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { storeEntries } from '../cli/stored-entries.ts';

const HOURLY = { task: 'report', every: '1h' };

async function setup() {
  const broker = new FakeBroker();
  const schedules = await storeEntries(broker, {
    'report.a': HOURLY,
    'report.b': HOURLY,
    'report.c': { ...HOURLY, enabled: false },
    other: HOURLY,
  });
  return { broker, schedules, session: createFakeSession(broker) };
}

test('entries that are named are paused without a question, and what was paused before is said', async () => {
  const { schedules, session } = await setup();
  expect(await execute(pauseEntries, { names: ['report.a', 'report.c', 'report.a'] }, { session })).toEqual({
    kind: 'done',
    result: {
      entries: [
        { name: 'report.a', enabled: false, nextAt: null, changed: true },
        { name: 'report.c', enabled: false, nextAt: null, changed: false },
      ],
    },
  });
  expect((await schedules.read('report.a')).enabled).toBe(false);
  expect((await schedules.read('other')).nextAt).toBe(NOW + 3_600_000);
});

test('what a pattern takes is asked about, and only what is not paused yet counts', async () => {
  const { schedules, session } = await setup();
  await expect(execute(pauseEntries, { where: 'report.*' }, { session })).rejects.toMatchObject({
    code: 'NEEDS_CONFIRMATION',
    message: expect.stringContaining('2 schedule entries'),
  });
  expect((await schedules.read('report.a')).enabled).toBe(true);
  expect(await execute(pauseEntries, { where: 'report.*' }, { session, yes: true })).toMatchObject({
    result: { entries: [{ name: 'report.a' }, { name: 'report.b' }] },
  });
  expect((await schedules.read('other')).enabled).toBe(true);
});

test('a dry run shows them, and pauses none', async () => {
  const { schedules, session } = await setup();
  expect(await execute(pauseEntries, { all: true }, { session, dryRun: true })).toMatchObject({
    plan: {
      summary: 'would pause 3 schedule entries',
      count: 3,
      rows: [{ name: 'other', fires: 'every hour' }, {}, {}],
    },
  });
  expect((await schedules.read('report.a')).enabled).toBe(true);
});

test('an unknown name stops it before anything is paused', async () => {
  const { schedules, session } = await setup();
  const asked = execute(pauseEntries, { names: ['report.a', 'report.x'] }, { session });
  await expect(asked).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
  expect((await schedules.read('report.a')).enabled).toBe(true);
});

test('entries are chosen in one way', async () => {
  const { session } = await setup();
  for (const input of [{}, { names: ['a'], all: true }, { where: 'a*', all: true }, { names: [] }]) {
    await expect(execute(pauseEntries, input, { session })).rejects.toMatchObject({ code: 'USAGE' });
  }
});

test('a job scheduler of another BullMQ application is in no pattern, and is refused by its name', async () => {
  const { broker, session } = await setup();
  broker.queue('default').schedules.states.set('report.theirs', {
    ...{ id: 'report.theirs', dueAt: NOW, ahead: 'scheduled', made: 3, runsBefore: 0, rule: undefined, task: 'send' },
    text: 'every 60000 ms',
  });
  const execution = await execute(pauseEntries, { where: 'report.*' }, { session, yes: true });
  expect(execution).toMatchObject({ result: { entries: [{ name: 'report.a' }, { name: 'report.b' }] } });
  const asked = execute(pauseEntries, { names: ['report.theirs'] }, { session });
  await expect(asked).rejects.toMatchObject({ code: 'FOREIGN_ENTRY' });
});

test('an entry that cannot be read keeps nobody from the others', async () => {
  const { broker, session } = await setup();
  await broker.state.write('schedule/entry/report.broken', '{"v":9}');
  expect(await execute(pauseEntries, { where: 'report.*' }, { session, yes: true })).toMatchObject({
    result: { entries: [{ name: 'report.a' }, { name: 'report.b' }] },
  });
});
