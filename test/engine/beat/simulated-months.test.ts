import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listRuns } from '../../../src/engine/core/schedule/runs.ts';
import type { ScheduleOptions } from '../../../src/engine/core/schedule/schedule-options.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { loseRecord } from '../broker/lost-record.ts';
import { createStore } from '../broker/workshop.ts';
import { defined } from './setup.ts';
import { simulateOn, UNHURRIED } from './simulated-store.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Of 2028: when clocks are set, in UTC; a zone without that has an ordinary night instead. */
const ZONES = [
  ['Europe/Berlin', '2028-03-26T01:00Z', '2028-10-29T01:00Z'],
  ['America/New_York', '2028-03-12T07:00Z', '2028-11-05T06:00Z'],
  ['Australia/Lord_Howe', '2028-10-01T15:30Z', '2028-04-01T15:00Z'],
  ['Asia/Kolkata', '2028-03-26T01:00Z', '2028-10-29T01:00Z'],
] as const;

/** Daily within the hour that is skipped or repeated, and every half hour around the instants at which it is. */
function listZoned(): Record<string, ScheduleOptions> {
  return Object.fromEntries(
    ZONES.flatMap(([timezone, ...changes]) => {
      const zone = cityOf(timezone);
      return [
        [`nightly-${zone}`, { cron: '15 2 * * *', timezone }],
        ...changes.map((change, index) => {
          const at = Date.parse(change);
          const span = { startAt: new Date(at - DAY_MS / 8), endAt: new Date(at + DAY_MS / 4) };
          return [`half-hourly-${zone}-${index}`, { cron: '*/30 * * * *', timezone, ...span }];
        }),
      ];
    }),
  );
}

function cityOf(timezone: string): string {
  return timezone.slice(timezone.indexOf('/') + 1);
}

describe.each(brokersUnderTest())('a beat on $name', (store) => {
  let url: string;
  let simulation: Awaited<ReturnType<typeof simulateOn>> | undefined;
  beforeAll(async () => {
    url = await createStore(store);
  });
  afterEach(async () => {
    await simulation?.close();
    simulation = undefined;
  });
  const simulate = async (from: string) => {
    simulation = await simulateOn(url, from);
    return simulation;
  };

  test('fires each entry of ten months at each of its due times once, whatever clocks and calendars do', {
    timeout: 120_000,
  }, async () => {
    const { time, createBeat, add, listFirings } = await simulate('2028-02-15T00:00:30Z');
    const entries: Record<string, ScheduleOptions> = {
      ...listZoned(),
      'leap-day': { cron: '0 0 29 2 *' },
      'end-of-month': { cron: '0 12 L * *' },
      'thirty-first': { cron: '0 12 31 * *' },
    };
    for (const [name, schedule] of Object.entries(entries)) await add(name, schedule);
    const from = time.clock.now();
    const beat = createBeat();
    await beat.start();
    await time.runUntil(Date.parse('2028-12-15T00:00Z'));
    await beat.stop();

    const firings = await listFirings();
    const span = { after: from, before: time.clock.now() + 1, limit: 10_000 };
    for (const [name, schedule] of Object.entries(entries)) {
      expect([name, firings.get(name)]).toEqual([name, listRuns(defined(schedule).schedule, span)]);
    }
    expect(firings.get('leap-day')).toEqual([Date.parse('2028-02-29T00:00Z')]);
    expect(firings.get('end-of-month')).toHaveLength(10);
    expect(firings.get('thirty-first')).toHaveLength(5);
    for (const [timezone] of ZONES) expect(firings.get(`nightly-${cityOf(timezone)}`)).toHaveLength(304);
  });

  test('misses and doubles nothing in an hour in which one of two beats is killed every minute', {
    timeout: 120_000,
  }, async () => {
    const { time, createBeat, add, listFirings } = await simulate('2026-03-01T12:00:00.500Z');
    const entries = { 'every-15-seconds': { every: '15s' }, minutely: { cron: '* * * * *' } };
    const missed = { policy: 'all', windowMs: null, atMost: 100 } as const;
    for (const [name, schedule] of Object.entries(entries)) await add(name, schedule, { missed });
    const from = time.clock.now();
    let [first, second] = [time.createOwner(), time.createOwner()];
    for (const process of [first, second]) await createBeat({ pulseMs: 5000 }, process).start();
    for (let minute = 0; minute < 60; minute += 1) {
      await time.runFor(MINUTE_MS);
      // It stops in the middle of whatever it waits for; what it held runs out by itself.
      first.kill();
      [first, second] = [second, time.createOwner()];
      await createBeat({ pulseMs: 5000 }, second).start();
    }
    await time.runFor(MINUTE_MS);
    const firings = await listFirings();
    const span = { after: from, before: time.clock.now() + 1, limit: 10_000 };
    for (const [name, schedule] of Object.entries(entries)) {
      expect([name, firings.get(name)]).toEqual([name, listRuns(defined(schedule).schedule, span)]);
    }
  });

  test('makes up for the due times of a clock that jumps forward, and fires none of them again when it jumps back', async () => {
    const { time, createBeat, add, listFirings } = await simulate('2026-03-01T12:30Z');
    await add('hourly', { every: '1h' }, { missed: { policy: 'all', windowMs: null, atMost: 100 } });
    const beat = createBeat(UNHURRIED);
    await beat.start();
    await time.runFor(5 * MINUTE_MS);
    time.jump(5 * 3_600_000);
    await time.runFor(5 * MINUTE_MS);
    time.jump(-5 * 3_600_000);
    await time.runFor(5 * MINUTE_MS);
    time.jump(5 * 3_600_000);
    await time.runUntil(Date.parse('2026-03-01T19:30Z'));
    await beat.stop();
    const hours = ['13:00', '14:00', '15:00', '16:00', '17:00', '18:00', '19:00'];
    expect((await listFirings()).get('hourly')).toEqual(hours.map((text) => Date.parse(`2026-03-01T${text}Z`)));
  });

  test('puts back a next job that was deleted, and leaves its count as it was', async () => {
    const { time, createBeat, add, listFirings, schedules, queue } = await simulate('2026-03-01T12:30Z');
    await add('hourly', { every: '1h' });
    const beat = createBeat(UNHURRIED);
    await beat.start();
    await time.runUntil(Date.parse('2026-03-01T14:30Z'));
    await loseRecord({ store: store.name, url }, queue, `repeat:hourly:${Date.parse('2026-03-01T15:00Z')}`);
    expect(await schedules.read('hourly')).toMatchObject({ ahead: 'missing' });
    await time.runUntil(Date.parse('2026-03-01T16:30Z'));
    const hours = ['13:00', '14:00', '15:00', '16:00'];
    expect((await listFirings()).get('hourly')).toEqual(hours.map((text) => Date.parse(`2026-03-01T${text}Z`)));
    expect(await schedules.read('hourly')).toMatchObject({ runs: 4 });
    await beat.stop();
  });

  test('takes in what an operator adds, changes, pauses and resumes, and counts on', async () => {
    const { time, createBeat, add, listFirings, schedules, queue } = await simulate('2026-03-01T12:30Z');
    const beat = createBeat(UNHURRIED);
    await beat.start();
    await time.runFor(MINUTE_MS);
    await add('changing', { every: '1h' });
    await time.runUntil(Date.parse('2026-03-01T14:10Z'));
    await schedules.add('changing', defined({ every: '30m' }, { queue }), { replace: true });
    await time.runUntil(Date.parse('2026-03-01T15:10Z'));
    expect(await schedules.read('changing')).toMatchObject({ runs: 4 });
    await schedules.pause('changing');
    await time.runUntil(Date.parse('2026-03-01T16:10Z'));
    await schedules.resume('changing');
    await time.runUntil(Date.parse('2026-03-01T16:40Z'));
    await schedules.remove('changing');
    await time.runUntil(Date.parse('2026-03-01T18:00Z'));
    const hours = ['13:00', '14:00', '14:30', '15:00', '16:30'];
    expect((await listFirings()).get('changing')).toEqual(hours.map((text) => Date.parse(`2026-03-01T${text}Z`)));
    await beat.stop();
  });
});
