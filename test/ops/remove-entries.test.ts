import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli/program.ts';
import { definitionOf } from '../../src/ops/entry-definition.ts';
import { type EntryInput, toEntryOptions } from '../../src/ops/entry-input.ts';
import { execute } from '../../src/ops/gate.ts';
import { removeEntries } from '../../src/ops/remove-entries.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { splitWords } from '../cli/split-words.ts';
import { storeEntries } from '../cli/stored-entries.ts';
import { define } from '../support/entry-definitions.ts';

const ENTRIES = {
  'report.a': { task: 'report', cron: '0 3 * * *', timezone: 'Europe/Berlin', args: [{ who: 'ada lovelace' }] },
  'report.b': {
    ...{ task: 'report', cron: { hour: 3, minute: 0, dayOfWeek: 'mon' }, enabled: false, queue: 'slow' },
    ...{ overlap: 'skip' as const, missed: 'skip' as const, expires: '1h', headers: { a: 'b=c' } },
  },
  sun: { task: 'lamps', solar: { event: 'sunset', latitude: -33.9, longitude: 18.4 } as const, jitter: '90s' },
  once: { task: 'mail', at: NOW + 3_600_000, description: 'only once', softTimeLimit: '5s', timeLimit: '10s' },
  busy: {
    ...{ task: 'sync', every: '10m', startAt: NOW, endAt: NOW + 86_400_000, maxRuns: 9 },
    missed: { policy: 'all', within: '2h', atMost: 50 } as const,
  },
};

test('asks, removes, and gives the command that adds each again as it was', async () => {
  const broker = new FakeBroker();
  const schedules = await storeEntries(broker, ENTRIES);
  const session = createFakeSession(broker);
  await expect(execute(removeEntries, { all: true }, { session })).rejects.toMatchObject({
    code: 'NEEDS_CONFIRMATION',
  });
  const before = new Map((await schedules.list()).schedules.map((view) => [view.name, view]));
  const execution = await execute(removeEntries, { all: true }, { session, yes: true });
  expect((await schedules.list()).schedules).toEqual([]);
  if (execution.kind !== 'done') throw new Error('it was done');
  const { removed } = execution.result;
  expect(removed.map(({ name }) => name)).toEqual(Object.keys(ENTRIES).sort());
  for (const { name, restore, lost } of removed) {
    const request = await parseCommandLine(splitWords(restore ?? '').slice(1));
    if (request.kind !== 'run') throw new Error('it runs no command');
    const values = { ...request.values, timeoutMs: undefined } as Parameters<typeof request.command.toInput>[0];
    const input = request.command.toInput(values) as EntryInput;
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as EntryInput;
    const view = before.get(name);
    if (view === undefined) throw new Error('it was not there');
    expect(define(toEntryOptions(given), name)).toEqual(definitionOf(view));
    expect({ name, isPaused: given.paused === true }).toEqual({ name, isPaused: !view.enabled });
    expect(lost).toEqual([]);
  }
});

test('says what the command cannot bring back', async () => {
  const broker = new FakeBroker();
  await storeEntries(broker, { a: { task: 'report', every: '1h', retry: false, ignoreResult: true } });
  expect(
    await execute(removeEntries, { names: ['a'] }, { session: createFakeSession(broker), yes: true }),
  ).toMatchObject({
    result: { removed: [{ lost: ['its retry policy', 'that its results are not kept'] }] },
  });
});

test('a job scheduler of plain BullMQ is removed from its queue, and has no such command', async () => {
  const broker = new FakeBroker().store('mail');
  const { states } = broker.queue('mail').schedules;
  states.set('theirs', {
    ...{ id: 'theirs', dueAt: NOW, ahead: 'scheduled', made: 3, runsBefore: 0, rule: undefined, task: 'send' },
    text: 'every 60000 ms',
  });
  const session = createFakeSession(broker);
  expect(await execute(removeEntries, { names: ['theirs'] }, { session, yes: true })).toMatchObject({
    result: { removed: [{ name: 'theirs', task: 'send', queue: 'mail', source: 'bullmq', restore: null }] },
  });
  expect(states.size).toBe(0);
});

test('a dry run shows them and removes none; an unknown name stops it before', async () => {
  const broker = new FakeBroker();
  const schedules = await storeEntries(broker, ENTRIES);
  const session = createFakeSession(broker);
  expect(await execute(removeEntries, { where: 'report.*' }, { session, dryRun: true })).toMatchObject({
    plan: { summary: 'would remove 2 schedule entries', count: 2, things: 'schedule entries' },
  });
  const asked = execute(removeEntries, { names: ['once', 'none'] }, { session, yes: true });
  await expect(asked).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
  expect((await schedules.list()).schedules).toHaveLength(5);
});

test('asked to stop, it stops between two', async () => {
  const broker = new FakeBroker();
  const schedules = await storeEntries(broker, ENTRIES);
  const stop = new AbortController();
  const execution = await execute(
    removeEntries,
    { all: true },
    {
      session: createFakeSession(broker),
      ...{ yes: true, signal: stop.signal, onProgress: ({ done }) => done === 2 && stop.abort() },
    },
  );
  expect(execution).toMatchObject({ stopped: { done: 2, total: 5 } });
  expect((await schedules.list()).schedules).toHaveLength(3);
});

test('an entry that cannot be read is removed by its name, as its error proposes', async () => {
  const broker = new FakeBroker().store('mail');
  await broker.state.write('schedule/entry/broken', '{"v":9}');
  const session = createFakeSession(broker);
  expect(await execute(removeEntries, { names: ['broken'] }, { session, yes: true })).toMatchObject({
    result: { removed: [{ name: 'broken', restore: null }] },
  });
  expect(await broker.state.size('schedule/entry/')).toBe(0);
});
