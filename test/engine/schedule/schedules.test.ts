import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { formatFiringId } from '../../../src/engine/core/schedule/firing.ts';
import { Schedules } from '../../../src/engine/schedule/schedules.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { define } from '../../support/entry-definitions.ts';
import { loseRecord } from '../broker/lost-record.ts';
import { createStore, openWorkshop, type Workshop } from '../broker/workshop.ts';
import { FakeBroker } from '../worker/fake-broker.ts';
import { createFakeClock, type FakeClock } from '../worker/recorded.ts';

const HOUR = 3_600_000;
/** Half past an hour, far ahead: no worker of the machine's own time comes near. */
const NOW = Date.parse('2031-05-01T10:30:00Z');
const NEXT = NOW + HOUR / 2;

describe.each(brokersUnderTest())('on $name', (store) => {
  let workshop: Workshop;
  let broker: Broker;
  let clock: FakeClock;
  let schedules: Schedules;
  beforeEach(async () => {
    workshop = await openWorkshop(store.name, await createStore(store));
    clock = createFakeClock(NOW);
    broker = await workshop.openBroker(workshop.url, { clock });
    schedules = new Schedules({ broker, clock });
  });
  afterEach(() => workshop.close());

  const jobAt = (dueAt: number, queue = 'default') => broker.queue(queue).readJob(formatFiringId('nightly', dueAt));
  /** What a worker does at a due time: the entry goes on. */
  const fire = async (from: number, to: number): Promise<void> => {
    clock.advance(from - clock.now());
    expect(await broker.queue('default').schedules.advance('nightly', from, to)).toBe(true);
  };

  test('an entry that is added has its next firing ahead, with all that its call says', async () => {
    const definition = define({
      ...{ args: [{ a: 1 }], overlap: 'skip', missed: 'skip', jitter: '5s', expires: '10m' },
      ...{ headers: { from: 'beat' }, timeLimit: '1m', retry: { max: 1 }, resultExpires: '1h', ignoreResult: true },
    });
    expect(await schedules.add('nightly', definition)).toMatchObject({
      ...{ name: 'nightly', task: 'work', queue: 'default', enabled: true, source: 'operator', edited: false },
      ...{ schedule: 'every hour, up to 5s later', nextAt: NEXT, ahead: 'scheduled', runs: 0, lastAt: null },
    });
    expect(await jobAt(NEXT)).toMatchObject({
      ...{ task: 'work', args: [{ a: 1 }], state: 'SCHEDULED', dueAt: NEXT },
      meta: {
        schedule: { entry: 'nightly', overlap: 'skip', windowMs: 65_000, jitterMs: 5000, expiresMs: 600_000 },
        ...{ headers: { from: 'beat' }, timeLimitMs: 60_000, retry: { max: 1 }, resultExpiresMs: HOUR },
      },
    });
  });

  test('the same entry can be added again, another one under its name only in its place', async () => {
    await schedules.add('nightly', define());
    const version = (await schedules.entries.read('nightly'))?.version;
    await schedules.add('nightly', define());
    expect((await schedules.entries.read('nightly'))?.version).toBe(version);
    await expect(schedules.add('nightly', define({ every: '2h' }))).rejects.toMatchObject({ code: 'ENTRY_EXISTS' });
    expect(await schedules.add('nightly', define({ every: '2h' }), { replace: true })).toMatchObject({
      ...{ schedule: 'every 2 hours', nextAt: NOW + 1.5 * HOUR },
    });
    expect(await jobAt(NEXT)).toBeUndefined();
    await expect(schedules.add('a:b', define())).rejects.toMatchObject({ code: 'INVALID_ENTRY_NAME' });
  });

  test('who arms an entry that was read some time ago brings back none that was removed, paused or edited meanwhile', async () => {
    await schedules.add('nightly', define());
    const readEntry = () => schedules.entries.read('nightly').then((entry) => entry ?? expect.fail('it is stored'));
    const before = await readEntry();
    await schedules.add('nightly', define({ every: '2h' }), { replace: true });
    expect(await schedules.rearm(before)).toBeUndefined();
    expect(await schedules.read('nightly')).toMatchObject({ nextAt: NOW + 1.5 * HOUR });
    const edited = await readEntry();
    await schedules.pause('nightly');
    expect(await schedules.rearm(edited)).toBeUndefined();
    expect(await schedules.read('nightly')).toMatchObject({ nextAt: null });
    await schedules.resume('nightly');
    const resumed = await readEntry();
    await broker.queue('default').schedules.remove('nightly');
    expect(await schedules.rearm(resumed)).toBe(NOW + 1.5 * HOUR);
    await schedules.remove('nightly');
    expect(await schedules.rearm(resumed)).toBeUndefined();
    expect(await broker.queue('default').schedules.size()).toBe(0);
  });

  test('who disarms an entry that was read some time ago leaves one alone that was resumed meanwhile', async () => {
    await schedules.add('nightly', define());
    await schedules.pause('nightly');
    const paused = (await schedules.entries.read('nightly')) ?? expect.fail('it is stored');
    await schedules.resume('nightly');
    await schedules.disarmUnchanged(paused);
    expect(await schedules.read('nightly')).toMatchObject({ nextAt: NEXT });

    const { schedules: chains } = broker.queue('default');
    await schedules.pause('nightly');
    const again = (await schedules.entries.read('nightly')) ?? expect.fail('it is stored');
    const remove = chains.remove.bind(chains);
    vi.spyOn(chains, 'remove').mockImplementationOnce(async (id) => {
      await schedules.resume('nightly');
      return await remove(id);
    });
    await schedules.disarmUnchanged(again);
    expect(await schedules.read('nightly')).toMatchObject({ nextAt: NEXT });
  });

  test.each(['remove', 'pause'] as const)(
    'an entry stays as it is after a %s in the middle of arming it',
    async (change) => {
      await schedules.add('nightly', define());
      const entry = (await schedules.entries.read('nightly')) ?? expect.fail('it is stored');
      await broker.queue('default').schedules.remove('nightly');
      const queue = broker.queue('default');
      const arm = queue.schedules.arm.bind(queue.schedules);
      vi.spyOn(queue.schedules, 'arm').mockImplementationOnce(async (firing) => {
        await schedules[change]('nightly');
        return await arm(firing);
      });
      expect(await schedules.rearm(entry)).toBeUndefined();
      expect(await queue.schedules.size()).toBe(0);
    },
  );

  test('a pause takes the firing ahead away and keeps the count, and a resume goes on with the next due time', async () => {
    await schedules.add('nightly', define());
    await fire(NEXT, NEXT + HOUR);
    await fire(NEXT + HOUR, NEXT + 2 * HOUR);
    expect(await schedules.pause('nightly')).toMatchObject({ enabled: false, nextAt: null, ahead: null, runs: 2 });
    expect(await jobAt(NEXT + 2 * HOUR)).toBeUndefined();
    expect(await schedules.pause('nightly')).toMatchObject({ enabled: false, runs: 2 });
    clock.advance(5 * HOUR);
    expect(await schedules.resume('nightly')).toMatchObject({ enabled: true, nextAt: NEXT + 7 * HOUR, runs: 2 });
    expect(await schedules.resume('nightly')).toMatchObject({ enabled: true, nextAt: NEXT + 7 * HOUR, runs: 2 });
    await fire(NEXT + 7 * HOUR, NEXT + 8 * HOUR);
    expect(await schedules.read('nightly')).toMatchObject({ runs: 3 });
  });

  test('a pause leaves a firing that is due, which counts', async () => {
    await schedules.add('nightly', define());
    clock.advance(HOUR / 2);
    expect(await schedules.pause('nightly')).toMatchObject({ nextAt: null, runs: 1 });
    expect(await jobAt(NEXT)).toBeDefined();
  });

  test('an edit keeps the count, also across queues, and maxRuns counts what was before', async () => {
    await schedules.add('nightly', define({ maxRuns: 2 }));
    await fire(NEXT, NEXT + HOUR);
    const edited = await schedules.add('nightly', define({ maxRuns: 3, queue: 'other' }), { replace: true });
    expect(edited).toMatchObject({ runs: 1, queue: 'other', nextAt: NEXT + HOUR });
    expect(await broker.queue('default').schedules.read(['nightly'])).toEqual([undefined]);
    expect(await jobAt(NEXT + HOUR)).toBeUndefined();
    expect(await jobAt(NEXT + HOUR, 'other')).toBeDefined();
    const last = await schedules.add('nightly', define({ maxRuns: 1, queue: 'other' }), { replace: true });
    expect(last).toMatchObject({ runs: 1, nextAt: null, enabled: true });
    const more = await schedules.add('nightly', define({ maxRuns: 5, queue: 'other' }), { replace: true });
    expect(more).toMatchObject({ runs: 1, nextAt: NEXT + HOUR });
    expect(await schedules.next('nightly', 10)).toHaveLength(4);
  });

  test('an entry that is over has no next time, and is no fault', async () => {
    await schedules.add('nightly', define({ at: NOW + HOUR }));
    clock.advance(HOUR);
    expect(await schedules.read('nightly')).toMatchObject({ nextAt: NOW + HOUR, runs: 1, ahead: 'waiting' });
    await loseRecord(workshop, 'default', formatFiringId('nightly', NOW + HOUR));
    expect(await schedules.read('nightly')).toMatchObject({ nextAt: null, runs: 1, ahead: 'missing' });
    expect(await schedules.resume('nightly')).toMatchObject({ nextAt: null, runs: 1 });
    expect(await schedules.add('past', define({ at: NOW - 1 }, 'past'))).toMatchObject({ nextAt: null, runs: 0 });
  });

  test('a due time that was fired is not fired again when the entry is made anew', async () => {
    await schedules.add('nightly', define());
    clock.advance(HOUR / 2);
    // The clock has been set back meanwhile: the firing of NEXT waits already.
    await schedules.remove('nightly');
    clock.advance(-HOUR / 4);
    expect(await schedules.add('nightly', define())).toMatchObject({ nextAt: NEXT + HOUR });
  });

  test('one whose scheduler is gone is armed by the policy for what was missed', async () => {
    for (const missed of ['once', 'all', 'skip'] as const) {
      await schedules.add(missed, define({ missed }, missed));
      await broker.queue('default').schedules.remove(missed);
    }
    const since = clock.now();
    clock.advance(3 * HOUR);
    const armed = async (name: string): Promise<number | undefined> => {
      const entry = await schedules.entries.read(name);
      return entry && (await schedules.rearm(entry, { since }));
    };
    expect(await armed('once')).toBe(NEXT + 2 * HOUR);
    expect(await armed('all')).toBe(NEXT);
    expect(await armed('skip')).toBe(NEXT + 3 * HOUR);
  });

  test('a firing by hand is a job of its own that counts as no run', async () => {
    await schedules.add('nightly', define({ jitter: '1m', overlap: 'skip', expires: '5m' }));
    await schedules.pause('nightly');
    const { id, queue, dueAt } = await schedules.run('nightly');
    expect(dueAt).toBe(NOW);
    expect(await broker.queue(queue).readJob(id)).toMatchObject({
      ...{ state: 'PENDING', task: 'work', meta: { schedule: { entry: 'nightly', dueAt: NOW, expiresMs: 300_000 } } },
    });
    expect(await schedules.read('nightly')).toMatchObject({ runs: 0, enabled: false });
  });

  test('an entry that is removed leaves nothing behind', async () => {
    await schedules.add('nightly', define());
    const ran = { jobId: 'j', dueAt: NOW, startedAt: NOW, state: 'SUCCESS', finishedAt: NOW, worker: 'w' } as const;
    await schedules.records.note('nightly', ran);
    expect(await schedules.read('nightly')).toMatchObject({ lastAt: NOW, lastState: 'SUCCESS', lastId: 'j' });
    await schedules.remove('nightly');
    expect(await jobAt(NEXT)).toBeUndefined();
    expect(await broker.state.list('schedule/entry/')).toEqual([]);
    expect(await broker.state.list('schedule/run/')).toEqual([]);
    expect(await broker.queue('default').schedules.size()).toBe(0);
  });

  test('a name that no entry has is refused with near ones', async () => {
    await schedules.add('reports/daily', define({}, 'reports/daily'));
    for (const operation of ['read', 'pause', 'resume', 'run', 'remove'] as const) {
      const failed = schedules[operation]('report/daily');
      await expect(failed).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
      await expect(failed).rejects.toThrow('did you mean "reports/daily"?');
    }
  });

  test('of several changes at once, all but one may be refused, and the scheduler is what the entry says', async () => {
    await schedules.add('nightly', define());
    const others = await Promise.all([1, 2, 3].map(() => workshop.openBroker(workshop.url, { clock })));
    const changes = others.flatMap((other, index) => {
      const own = new Schedules({ broker: other, clock });
      return [own.pause('nightly'), own.add('nightly', define({ every: `${index + 2}h` }), { replace: true })];
    });
    const ends = await Promise.allSettled(changes);
    const codes = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as { code: string }).code] : []));
    expect(new Set(codes)).toEqual(new Set(codes.length === 0 ? [] : ['ENTRY_CHANGED']));
    expect(codes.length).toBeLessThan(changes.length);
    const entry = await schedules.entries.read('nightly');
    const [state] = await broker.queue('default').schedules.read(['nightly']);
    if (entry?.isPaused === true) expect(state).toBeUndefined();
    else expect(state?.rule?.schedule).toEqual(entry?.definition.schedule);
  });

  test('entries are listed by name in pages, and after them what plain BullMQ made', async () => {
    for (const name of ['b', 'a', 'c']) await schedules.add(name, define({ queue: `q-${name}` }, name));
    await workshop.plainQueue('plain').upsertJobScheduler('tick', { every: 60_000 }, { name: 'ticking' });
    await workshop.plainQueue('q-a').upsertJobScheduler('tock', { pattern: '0 3 * * *' }, { name: 'tocking' });
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const page = await schedules.list({ limit: 2, after });
      pages.push(page.schedules.map(({ name }) => name));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(pages).toEqual([['a', 'b'], ['c', 'tick'], ['tock']]);
    const { schedules: all, next } = await schedules.list();
    expect(next).toBeNull();
    expect(all.slice(0, 3)).toMatchObject(['a', 'b', 'c'].map((name) => ({ name, nextAt: NEXT, source: 'operator' })));
    expect(all.slice(3)).toMatchObject([
      { name: 'tick', task: 'ticking', queue: 'plain', schedule: 'every 60000 ms', source: 'bullmq', overlap: null },
      { name: 'tock', task: 'tocking', queue: 'q-a', schedule: '0 3 * * *', source: 'bullmq' },
    ]);
  });

  test('a job scheduler of plain BullMQ is shown and removed, and nothing else', async () => {
    for (const queue of ['one', 'two']) await workshop.plainQueue(queue).upsertJobScheduler('tick', { every: 60_000 });
    await workshop.plainQueue('default').upsertJobScheduler('nightly', { every: 60_000 });
    expect(await schedules.read('nightly')).toMatchObject({ source: 'bullmq', queue: 'default' });
    for (const operation of ['pause', 'resume', 'run'] as const) {
      await expect(schedules[operation]('nightly')).rejects.toMatchObject({ code: 'FOREIGN_ENTRY' });
    }
    await expect(schedules.add('nightly', define())).rejects.toMatchObject({ code: 'ENTRY_EXISTS' });
    await expect(schedules.remove('tick')).rejects.toThrow('one of one, two');
    await schedules.remove('tick', { queue: 'two' });
    expect(await schedules.read('tick')).toMatchObject({ queue: 'one' });
  });

  test('a scheduler whose entry has been lost is seen, and can be removed', async () => {
    await schedules.add('nightly', define());
    await broker.state.remove('schedule/entry/nightly');
    expect((await schedules.list()).schedules).toMatchObject([
      { name: 'nightly', queue: 'default', source: 'bullmq', schedule: expect.stringContaining('tq: ') },
    ]);
    await schedules.remove('nightly');
    expect((await schedules.list()).schedules).toEqual([]);
    await expect(schedules.remove('nightly')).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
  });

  test('an entry that cannot be read hides no other, and can be removed', async () => {
    await schedules.add('nightly', define());
    await schedules.add('other', define({}, 'other'));
    await broker.state.write('schedule/entry/nightly', '{"v":9}');
    await expect(schedules.read('nightly')).rejects.toMatchObject({ code: 'ENTRY_UNREADABLE' });
    expect((await schedules.list()).schedules).toMatchObject([
      { name: 'nightly', error: expect.stringContaining('its version is not known') },
      { name: 'other', error: null },
    ]);
    await schedules.remove('nightly');
    expect((await schedules.list()).schedules).toMatchObject([{ name: 'other' }]);
    expect(await jobAt(NEXT)).toBeUndefined();
  });

  test('firings have the priority of a queue with priorities, and none can be asked for on another', async () => {
    const wish = define({ priority: 7 });
    await expect(schedules.add('nightly', wish)).rejects.toMatchObject({ code: 'PRIORITIES_OFF' });
    expect(await schedules.entries.size()).toBe(0);
    await broker.queue('default').enablePriorities();
    await schedules.add('nightly', wish);
    expect(await jobAt(NEXT)).toMatchObject({ priority: 7 });
    await schedules.add('nightly', define(), { replace: true });
    expect(await jobAt(NEXT)).toMatchObject({ priority: 0 });
  });
});

describe('a change while an entry is armed', () => {
  /** Somebody else comes in between, once the scheduler is made and before it is looked at again. */
  function setUp(between: (other: Schedules) => Promise<unknown>) {
    const broker = new FakeBroker();
    const clock = createFakeClock(NOW);
    const other = new Schedules({ broker, clock });
    const queue = broker.queue('default');
    const arm = queue.schedules.arm.bind(queue.schedules);
    queue.schedules.arm = async (firing) => {
      queue.schedules.arm = arm;
      await between(other);
      return await arm(firing);
    };
    return { broker, schedules: new Schedules({ broker, clock }), armed: queue.schedules.armed };
  }

  test('that removes it leaves no scheduler', async () => {
    const { schedules, armed } = setUp((other) => other.remove('nightly'));
    await expect(schedules.add('nightly', define())).rejects.toMatchObject({ code: 'UNKNOWN_ENTRY' });
    expect(armed.size).toBe(0);
  });

  test('that pauses it leaves no scheduler', async () => {
    const { schedules, armed } = setUp((other) => other.pause('nightly'));
    expect(await schedules.add('nightly', define())).toMatchObject({ enabled: false });
    expect(armed.size).toBe(0);
  });

  test('that edits it leaves the scheduler of the edit', async () => {
    const edit = define({ every: '2h' });
    const { schedules, armed } = setUp((other) => other.add('nightly', edit, { replace: true }));
    await schedules.add('nightly', define());
    expect(armed.get('nightly')?.rule.schedule).toEqual(edit.schedule);
  });

  test('that moves it leaves the scheduler in its new queue alone', async () => {
    const edit = define({ queue: 'other' });
    const { schedules, armed, broker } = setUp((other) => other.add('nightly', edit, { replace: true }));
    expect(await schedules.add('nightly', define())).toMatchObject({ queue: 'other', nextAt: NEXT });
    expect(armed.size).toBe(0);
    expect(broker.queue('other').schedules.armed.size).toBe(1);
  });

  test('of many leaves the schedulers of those that are stored', async () => {
    const { schedules, armed } = setUp((other) => other.remove('a'));
    const declared = ['a', 'b'].map((name) => ({ name, definition: define({}, name), enabled: true }));
    expect(await schedules.reconcile(declared)).toMatchObject({ added: ['a', 'b'], failed: [] });
    expect([...armed.keys()]).toEqual(['b']);
  });
});
