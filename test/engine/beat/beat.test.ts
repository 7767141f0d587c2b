import { expect, test } from 'vitest';
import { listLiveBeats } from '../../../src/engine/beat/live-beats.ts';
import { listRuns } from '../../../src/engine/core/schedule/runs.ts';
import { defined, setUp } from './setup.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

test('an entry that has no scheduler is armed, and fires at each due time', async () => {
  const { time, schedules, log, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('minutely', defined({ every: '1m' }));
  const beat = createBeat();
  await beat.start();
  const from = time.clock.now();
  await time.runFor(HOUR_MS);

  expect(schedules.listFired('minutely')).toEqual(
    listRuns(defined({ every: '1m' }).schedule, { after: from, before: time.clock.now() + 1, limit: 100 }),
  );
  const firings = log.lines.filter(({ message }) => message === 'entry "minutely" fired');
  expect(firings).toHaveLength(60);
  expect(firings[0]).toMatchObject({
    level: 'INFO',
    entry: 'minutely',
    due: '2026-03-01T12:01:00.000Z',
    late_ms: 0,
    job_id: `repeat:minutely:${Date.parse('2026-03-01T12:01Z')}`,
  });
});

test('while nothing is due and nothing changes, no scheduler is read but in the full look', async () => {
  const { time, schedules, createBeat, put } = setUp('2026-03-01T00:00:10Z');
  for (let index = 0; index < 50; index += 1) await put(`daily-${index}`, defined({ cron: '0 3 * * *' }));
  await createBeat().start();
  await time.runFor(MINUTE_MS);
  const before = schedules.calls.length;
  await time.runFor(10 * MINUTE_MS);
  expect(schedules.calls.slice(before)).toEqual(Array.from({ length: 20 }, () => 'read 50'));
});

test('an entry that is added, changed, paused, resumed and removed while the beat runs is kept as it is then', async () => {
  const { time, schedules, entries, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await createBeat().start();
  await time.runFor(MINUTE_MS);

  await put('changing', defined({ every: '10m' }));
  await time.runUntil(Date.parse('2026-03-01T12:35Z'));
  const tens = ['12:10', '12:20', '12:30'];
  const at = (times: readonly string[]): number[] => times.map((text) => Date.parse(`2026-03-01T${text}Z`));
  expect(schedules.listFired('changing')).toEqual(at(tens));

  await put('changing', defined({ every: '15m' }));
  await time.runUntil(Date.parse('2026-03-01T13:05Z'));
  const quarters = ['12:45', '13:00'];
  expect(schedules.listFired('changing')).toEqual(at([...tens, ...quarters]));

  await put('changing', defined({ every: '15m' }), { isPaused: true });
  await time.runUntil(Date.parse('2026-03-01T14:05Z'));
  expect(schedules.listFired('changing')).toEqual(at([...tens, ...quarters]));

  await put('changing', defined({ every: '15m' }));
  await time.runUntil(Date.parse('2026-03-01T14:20Z'));
  expect(schedules.listFired('changing')).toEqual(at([...tens, ...quarters, '14:15']));

  const entry = await entries.read('changing');
  await entries.remove('changing', entry?.version ?? '');
  await schedules.remove('changing');
  await time.runFor(HOUR_MS);
  expect(schedules.listFired('changing')).toEqual(at([...tens, ...quarters, '14:15']));
});

test('a next job that was deleted is put back, at its own due time', async () => {
  const { time, schedules, log, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('hourly', defined({ every: '1h' }));
  await createBeat().start();
  await time.runFor(MINUTE_MS);
  const id = `repeat:hourly:${Date.parse('2026-03-01T13:00Z')}`;
  schedules.deleteJob(id);
  await time.runUntil(Date.parse('2026-03-01T13:30Z'));
  expect(schedules.listFired('hourly')).toEqual([Date.parse('2026-03-01T13:00Z')]);
  expect(log.messages).toContain('entry "hourly" was armed again: its next job was missing');
});

test('a job that was deleted just before it was due is put back, and runs late', async () => {
  const { time, schedules, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('hourly', defined({ every: '1h' }));
  await createBeat().start();
  const due = Date.parse('2026-03-01T13:00Z');
  await time.runUntil(due - 1);
  schedules.deleteJob(`repeat:hourly:${due}`);
  await time.runUntil(due + HOUR_MS);
  expect(schedules.listFired('hourly')).toEqual([due, due + HOUR_MS]);
});

test('a firing that was there when it was due and is deleted after that is not put back', async () => {
  const { time, schedules, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('hourly', defined({ every: '1h' }, { overlap: 'skip' }));
  await createBeat().start();
  const due = Date.parse('2026-03-01T13:00Z');
  await time.runUntil(due + MINUTE_MS);
  schedules.deleteJob(`repeat:hourly:${due}`);
  await time.runUntil(due + HOUR_MS);
  expect(schedules.listFired('hourly')).toEqual([due + HOUR_MS]);
});

test('with the overlap skip a firing that waits stays alone', async () => {
  const { time, schedules, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('minutely', defined({ every: '1m' }, { overlap: 'skip' }));
  await createBeat().start();
  await time.runFor(HOUR_MS);
  expect(schedules.listFired('minutely')).toEqual([Date.parse('2026-03-01T12:01Z')]);
});

test.each([
  { policy: 'once', windowMs: null, due: ['13:00', '18:00'] },
  { policy: 'skip', windowMs: MINUTE_MS, due: ['13:00', '18:00'] },
  { policy: 'all', windowMs: null, due: ['13:00', '14:00', '15:00', '16:00', '17:00', '18:00'] },
] as const)(
  'due times that passed without a beat and a worker are decided by $policy',
  async ({ policy, windowMs, due }) => {
    const { time, schedules, createBeat, put } = setUp('2026-03-01T12:30Z');
    await put('hourly', defined({ every: '1h' }, { missed: { policy, windowMs, atMost: 100 } }));
    const process = time.createOwner();
    await createBeat(process).start();
    await time.runFor(MINUTE_MS);
    process.kill();
    await time.runUntil(Date.parse('2026-03-01T17:30Z'));
    await createBeat().start();
    await time.runUntil(Date.parse('2026-03-01T18:00Z'));
    expect(schedules.listFired('hourly')).toEqual(due.map((text) => Date.parse(`2026-03-01T${text}Z`)));
  },
);

test('an entry that has fired as often as it may rests', async () => {
  const { time, schedules, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('thrice', defined({ every: '1m', maxRuns: 3 }));
  await put('once', defined({ at: '2026-03-01T12:02:10Z' }));
  await createBeat().start();
  await time.runFor(HOUR_MS);
  expect(schedules.listFired('thrice')).toHaveLength(3);
  expect(schedules.listFired('once')).toEqual([Date.parse('2026-03-01T12:02:10Z')]);
});

test('two beats for an hour, one of them killed every minute: no firing is missed and none doubled', async () => {
  const { time, schedules, createBeat, put } = setUp('2026-03-01T12:00:00.500Z');
  await put('minutely', defined({ cron: '* * * * *' }, { missed: { policy: 'all', windowMs: null, atMost: 100 } }));
  const all = { policy: 'all', windowMs: null, atMost: 100 } as const;
  await put('every-second', defined({ every: '1s' }, { missed: all }));
  const from = time.clock.now();
  let processes = [time.createOwner(), time.createOwner()];
  for (const process of processes) await createBeat(process).start();
  await time.runFor(MINUTE_MS);
  for (let minute = 1; minute < 60; minute += 1) {
    // The one that leads, then the one that stands by.
    const [first, second] = processes as [(typeof processes)[0], (typeof processes)[0]];
    first.kill();
    const fresh = time.createOwner();
    processes = [second, fresh];
    await createBeat(fresh).start();
    await time.runFor(MINUTE_MS);
  }
  const due = (schedule: { every: string } | { cron: string }) =>
    listRuns(defined(schedule).schedule, { after: from, before: time.clock.now() + 1, limit: 10_000 });
  // Not before the entry was armed, a settling time after the first beat began.
  const fired = schedules.listFired('every-second');
  expect(fired).toEqual(due({ every: '1s' }).filter((at) => at >= (fired[0] ?? 0)));
  expect(fired.length).toBeGreaterThan(3590);
  expect(schedules.listFired('minutely')).toEqual(due({ cron: '* * * * *' }));
});

test('a beat that was suspended for longer than its lease changes nothing when it wakes but finds out who leads', async () => {
  const { time, state, schedules, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('minutely', defined({ every: '1m' }));
  const process = time.createOwner();
  const sleeper = createBeat(process);
  await sleeper.start();
  await time.runFor(MINUTE_MS);
  process.suspend();
  await time.runFor(MINUTE_MS);
  await state.lease('schedule/leader', 'another beat', MINUTE_MS);
  const before = schedules.calls.length;
  process.wake();
  await time.runFor(30_000);
  expect(schedules.calls.slice(before)).toEqual([]);
  expect(sleeper.state).toMatchObject({ isLeader: false, leader: 'another', entries: 0 });

  await state.release('schedule/leader', 'another beat');
  await time.runFor(MINUTE_MS);
  expect(sleeper.state).toMatchObject({ isLeader: true, leader: 'beat@test', entries: 1 });
  const due = ['12:01', '12:02', '12:04'];
  expect(schedules.listFired('minutely')).toEqual(due.map((text) => Date.parse(`2026-03-01T${text}Z`)));
});

test('while the broker is away nothing fails but what needs it; it is said once, and made up for by policy', async () => {
  const { time, schedules, setAway, log, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('minutely', defined({ every: '1m' }, { missed: { policy: 'all', windowMs: null, atMost: 100 } }));
  await createBeat().start();
  await time.runFor(5 * MINUTE_MS);
  setAway(true);
  await time.runFor(10 * MINUTE_MS);
  setAway(false);
  await time.runFor(5 * MINUTE_MS);
  expect(schedules.listFired('minutely')).toHaveLength(20);
  expect(log.lines.filter(({ level }) => level === 'ERROR')).toHaveLength(1);
});

test('a clock that jumps forward fires what passed by policy, and one that jumps back fires nothing twice and says so', async () => {
  const { time, schedules, log, createBeat, put } = setUp('2026-03-01T12:30Z');
  await put('hourly', defined({ every: '1h' }));
  await createBeat().start();
  await time.runFor(MINUTE_MS);
  time.jump(5 * HOUR_MS);
  await time.runFor(MINUTE_MS);
  const at = (times: readonly string[]): number[] => times.map((text) => Date.parse(`2026-03-01T${text}Z`));
  expect(schedules.listFired('hourly')).toEqual(at(['13:00']));

  time.jump(-5 * HOUR_MS);
  await time.runFor(5 * MINUTE_MS);
  expect(
    log.messages.filter((message) => message.startsWith('entry "hourly" fires later than its schedule says')),
  ).toHaveLength(1);
  await time.runUntil(Date.parse('2026-03-01T19:30Z'));
  expect(schedules.listFired('hourly')).toEqual(at(['13:00', '18:00', '19:00']));
});

test('a firing that has not started a minute after it was due is warned of once, with what is in its way', async () => {
  const { time, schedules, log, queueStatus, createBeat, put } = setUp('2026-03-01T12:30Z');
  await put('hourly', defined({ every: '1h' }));
  const beat = createBeat();
  await beat.start();
  queueStatus.consumers = 0;
  await time.runUntil(Date.parse('2026-03-01T13:30Z'));
  const warned = (): readonly string[] => log.messages.filter((message) => message.includes('has not started'));
  expect(warned()).toEqual([
    expect.stringContaining('entry "hourly" was due 1m ago and has not started: no worker serves queue "reports"'),
  ]);
  expect(beat.state.overdue).toBe(1);

  queueStatus.consumers = 1;
  queueStatus.paused = true;
  await time.runUntil(Date.parse('2026-03-01T14:30Z'));
  expect(warned()).toHaveLength(2);
  expect(warned()[1]).toContain('queue "reports" is paused');

  for (const at of schedules.listFired('hourly')) schedules.finishJob(`repeat:hourly:${at}`);
  await time.runFor(MINUTE_MS);
  expect(beat.state.overdue).toBe(0);
});

test('beats tell that they run, the leader first, for as long as they do', async () => {
  const { time, state, createBeat, put } = setUp('2026-03-01T12:30Z');
  await put('hourly', defined({ every: '1h' }));
  const process = time.createOwner();
  const [leader, standby] = [createBeat(process), createBeat()];
  await standby.start();
  await leader.start();
  await time.runFor(10_000);
  const live = await listLiveBeats(state);
  expect(live.map(({ isLeader, entries }) => ({ isLeader, entries }))).toEqual([
    { isLeader: true, entries: 1 },
    { isLeader: false, entries: 0 },
  ]);
  await standby.stop();
  expect(await listLiveBeats(state)).toHaveLength(1);
  process.kill();
  await time.runFor(15_000);
  expect(await listLiveBeats(state)).toEqual([]);
});

test('a broker that was emptied is told of, once, and no entry of before is armed in it', async () => {
  const { time, schedules, state, entries, log, createBeat, put } = setUp('2026-03-01T12:00:30Z');
  await put('minutely', defined({ every: '1m' }));
  await createBeat().start();
  await time.runFor(2 * MINUTE_MS);
  await entries.remove('minutely', undefined, { isQuiet: true });
  await state.remove('schedule/changed');
  await schedules.remove('minutely');
  const fired = schedules.listFired('minutely');
  await time.runFor(5 * MINUTE_MS);
  expect(schedules.listFired('minutely')).toEqual(fired);
  expect(log.lines.filter(({ message }) => String(message).includes('has lost its schedule entries'))).toMatchObject([
    { level: 'ERROR', entries: 1, lost: ['minutely'] },
  ]);
});
