import { expect } from 'vitest';
import type { ArmedFiring } from '../../../../src/engine/broker/schedule-port.ts';
import type { ChainRule } from '../../../../src/engine/core/schedule/chain.ts';
import { formatFiringId } from '../../../../src/engine/core/schedule/firing.ts';
import { listRuns, nextRun } from '../../../../src/engine/core/schedule/runs.ts';
import { parseSchedule, type ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { loseWorker } from '../lose-worker.ts';
import { queueName, SUCCEEDED } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const HOUR = 3_600_000;
const ONCE: ChainRule['missed'] = { policy: 'once', windowMs: null, atMost: 100 };
const SKIP: ChainRule['missed'] = { policy: 'skip', windowMs: 60_000, atMost: 100 };

/** The hour after 2 is not there on the first Sunday, and there twice on the second. */
const CLOCK_CHANGES = [
  ['spring', '2025-03-28T00:00Z', '2025-04-01T00:00Z'],
  ['autumn', '2025-10-24T00:00Z', '2025-10-28T00:00Z'],
] as const;

/** Due half an hour ago; an hour later is to come, however long the tests take. */
const DUE = systemClock.now() - HOUR / 2;

/** Those with an interval have the due time above among theirs. */
function ruleOf(options: ScheduleOptions, rest: Partial<ChainRule> = {}): ChainRule {
  const given = 'every' in options ? { startAt: new Date(DUE - 1000 * HOUR).toISOString(), ...options } : options;
  return { schedule: parseSchedule(given, 'entry'), missed: ONCE, overlap: 'allow', ...rest };
}

const HOURLY = ruleOf({ every: '1h' });

function firing(id: string, dueAt: number, fields: Partial<ArmedFiring> = {}): ArmedFiring {
  const job = { task: 'work', args: [1, { text: 'two' }], meta: { schedule: { entry: id } } };
  return { id, dueAt, rule: HOURLY, runsBefore: 0, job, ...fields };
}

export const schedules: Subject = {
  subject: 'job schedulers',
  rules: [
    defineRule('an armed one has its firing ahead as a scheduled job', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const dueAt = DUE + HOUR;
      expect(await queue.schedules.arm(firing('nightly', dueAt, { runsBefore: 7 }))).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toEqual([
        {
          ...{ id: 'nightly', dueAt, ahead: 'scheduled', made: 1, runsBefore: 7, rule: HOURLY, task: 'work' },
          text: expect.stringMatching(/^tq: every hour, from /),
        },
      ]);
      expect(await queue.readJob(formatFiringId('nightly', dueAt))).toMatchObject({
        task: 'work',
        args: [1, { text: 'two' }],
        meta: { schedule: { entry: 'nightly' } },
        state: 'SCHEDULED',
        dueAt,
      });
      expect(await broker.listQueues()).toContain(queue.name);
    }),

    defineRule('one that is due already waits at once', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const dueAt = DUE;
      await queue.schedules.arm(firing('nightly', dueAt));
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt, ahead: 'waiting', made: 1 }]);
      expect(await queue.readJob(formatFiringId('nightly', dueAt))).toMatchObject({ state: 'PENDING' });
    }),

    defineRule('one that is not there is read as undefined, and neither advanced nor removed', async ({ broker }) => {
      const { schedules } = broker.queue(queueName());
      expect(await schedules.read(['nothing'])).toEqual([undefined]);
      expect(await schedules.advance('nothing', 1, 2)).toBe(false);
      expect(await schedules.remove('nothing')).toBe(false);
      expect(await schedules.list(0, 10)).toEqual([]);
      expect(await schedules.size()).toBe(0);
    }),

    defineRule('advancing adds the next firing, and the one before it stays', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [from, to] = [DUE, DUE + HOUR];
      await queue.schedules.arm(firing('nightly', from));
      expect(await queue.schedules.advance('nightly', from, to)).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: to, ahead: 'scheduled', made: 2 }]);
      expect(await queue.readJob(formatFiringId('nightly', from))).toMatchObject({ state: 'PENDING' });
      expect(await queue.readJob(formatFiringId('nightly', to))).toMatchObject({
        state: 'SCHEDULED',
        dueAt: to,
        args: [1, { text: 'two' }],
      });
    }),

    defineRule('of several that advance from the same firing one does', async ({ broker, openBroker }) => {
      const queue = broker.queue(queueName());
      const other = (await openBroker()).queue(queue.name);
      const from = DUE;
      await queue.schedules.arm(firing('nightly', from));
      const tries = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? queue : other).schedules.advance('nightly', from, from + HOUR * (1 + (index % 3))),
      );
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      expect(await queue.counts()).toMatchObject({ waiting: 1, scheduled: 1 });
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ made: 2 }]);
    }),

    defineRule('they are listed by when they are due, and counted', async ({ broker }) => {
      const { schedules } = broker.queue(queueName());
      const begin = DUE + HOUR;
      for (const [index, id] of ['c', 'a', 'b'].entries()) await schedules.arm(firing(id, begin + index * HOUR));
      expect(await schedules.size()).toBe(3);
      expect(await schedules.list(0, 2)).toEqual([
        { id: 'c', dueAt: begin },
        { id: 'a', dueAt: begin + HOUR },
      ]);
      expect((await schedules.list(2, 10)).map(({ id }) => id)).toEqual(['b']);
      expect(await schedules.list(0, 0)).toEqual([]);
      expect((await schedules.read(['b', 'x', 'a'])).map((state) => state?.id)).toEqual(['b', undefined, 'a']);
    }),

    defineRule('removing takes the firing ahead away, unless it is due', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [due, later] = [DUE, DUE + HOUR];
      await queue.schedules.arm(firing('due', due));
      await queue.schedules.arm(firing('later', later));
      expect(await queue.schedules.remove('due')).toBe(true);
      expect(await queue.schedules.remove('later')).toBe(true);
      expect(await queue.readJob(formatFiringId('due', due))).toMatchObject({ state: 'PENDING' });
      expect(await queue.readJob(formatFiringId('later', later))).toBeUndefined();
      expect(await queue.schedules.size()).toBe(0);
    }),

    defineRule('arming again replaces rule, job and a firing that is still to come', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [before, after] = [DUE + HOUR, DUE + 2 * HOUR];
      await queue.schedules.arm(firing('nightly', before));
      const rule = ruleOf({ cron: '0 3 * * *', timezone: 'Europe/Berlin' });
      const job = { task: 'other', args: [], meta: {} };
      expect(await queue.schedules.arm(firing('nightly', after, { rule, job, runsBefore: 3 }))).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toEqual([
        {
          ...{ id: 'nightly', dueAt: after, ahead: 'scheduled', made: 1, runsBefore: 3, rule, task: 'other' },
          text: '0 3 * * *',
        },
      ]);
      expect(await queue.readJob(formatFiringId('nightly', before))).toBeUndefined();
      expect(await queue.readJob(formatFiringId('nightly', after))).toMatchObject({ task: 'other', args: [] });
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1 });
    }),

    defineRule('arming one that is taken to be new replaces one that is there all the same', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [before, after] = [DUE + HOUR, DUE + 2 * HOUR];
      expect(await queue.schedules.arm({ ...firing('nightly', before), isNew: true })).toBe(true);
      expect(await queue.schedules.arm({ ...firing('nightly', after), isNew: true })).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: after, ahead: 'scheduled', made: 1 }]);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1 });
    }),

    defineRule('of many that are armed at once each fires by itself', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const ids = Array.from({ length: 150 }, (_, index) => `entry-${index}`);
      const arm = (id: string) => queue.schedules.arm({ ...firing(id, DUE + HOUR), isNew: true });
      const [armed] = await Promise.all([Promise.all(ids.map(arm)), Promise.all(ids.slice(0, 20).map(arm))]);
      expect(armed).toEqual(ids.map(() => true));
      const states = await queue.schedules.read(ids);
      expect(states.map((state) => state?.made)).toEqual(ids.map(() => 1));
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: ids.length });
    }),

    defineRule('arming again for the same due time replaces the firing', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const dueAt = DUE + HOUR;
      await queue.schedules.arm(firing('nightly', dueAt));
      const job = { task: 'work', args: ['new'], meta: {}, ignoreResult: true };
      expect(await queue.schedules.arm(firing('nightly', dueAt, { job }))).toBe(true);
      expect(await queue.readJob(formatFiringId('nightly', dueAt))).toMatchObject({ args: ['new'], dueAt });
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1 });
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ made: 1 }]);
    }),

    defineRule('arming again leaves a firing that is due and waits, also in a paused queue', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [due, next] = [DUE, DUE + HOUR];
      await queue.schedules.arm(firing('nightly', due));
      await queue.pause();
      const job = { task: 'work', args: ['new'], meta: {} };
      expect(await queue.schedules.arm(firing('nightly', next, { job }))).toBe(true);
      expect(await queue.readJob(formatFiringId('nightly', due))).toMatchObject({ state: 'PENDING' });
      expect(await queue.readJob(formatFiringId('nightly', next))).toMatchObject({ args: ['new'], dueAt: next });
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: next, ahead: 'scheduled', made: 2 }]);
      expect(await queue.counts()).toMatchObject({ waiting: 1, scheduled: 1 });
    }),

    defineRule(
      'a due time that has been fired is not armed again, and nothing changes',
      async ({ broker, consume }) => {
        const queue = broker.queue(queueName());
        const due = DUE;
        await queue.schedules.arm(firing('nightly', due));
        const probe = await consume(queue.name);
        await probe.taken.next();
        await probe.settled();
        await probe.stop();
        const [before] = await queue.schedules.read(['nightly']);
        const job = { task: 'other', args: [], meta: {} };
        expect(await queue.schedules.arm(firing('nightly', due, { job }))).toBe(false);
        expect(await queue.schedules.read(['nightly'])).toEqual([before]);
      },
    ),

    defineRule('arming again while the firing runs adds the next beside it', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const due = DUE;
      await queue.schedules.arm(firing('nightly', due));
      const gate = workshop.gate();
      const probe = await workshop.consume(queue.name, {
        perform: async () => {
          await gate.promise;
          return SUCCEEDED;
        },
      });
      await probe.taken.next();
      const job = { task: 'work', args: ['new'], meta: {} };
      const next = due + 2 * HOUR;
      expect(await queue.schedules.arm(firing('nightly', next, { job }))).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: next, ahead: 'scheduled', made: 2 }]);
      // The firing that the worker had added is replaced; the one that runs stays.
      expect(await queue.counts()).toMatchObject({ active: 1, scheduled: 1, waiting: 0 });
      gate.resolve();
      await probe.settled();
      expect(await queue.readJob(formatFiringId('nightly', due))).toMatchObject({ state: 'SUCCESS' });
    }),

    defineRule('arming again brings back a firing that is not there any more', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const [due, later] = [DUE, DUE + HOUR];
      // It leaves no trace, and nothing goes on from it.
      const job = { task: 'work', args: [], meta: {}, ignoreResult: true };
      const fields = { job, rule: ruleOf({ every: '1h', maxRuns: 1 }) };
      await queue.schedules.arm(firing('due', due, fields));
      await queue.schedules.arm(firing('later', later, fields));
      await queue.bulk.promote([formatFiringId('later', later)]);
      const probe = await consume(queue.name);
      await probe.taken.take(2);
      await probe.settled();
      await probe.stop();
      expect(await queue.schedules.read(['due', 'later'])).toMatchObject([{ ahead: 'missing' }, { ahead: 'missing' }]);
      expect(await queue.schedules.arm(firing('later', later))).toBe(true);
      expect(await queue.schedules.read(['later'])).toMatchObject([{ dueAt: later, ahead: 'scheduled', made: 1 }]);
      expect(await queue.schedules.arm(firing('due', later))).toBe(true);
      expect(await queue.schedules.read(['due'])).toMatchObject([{ dueAt: later, ahead: 'scheduled', made: 2 }]);
    }),

    defineRule('arming again goes on from a firing that has ended', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const due = DUE;
      const once = ruleOf({ every: '1h', maxRuns: 1 });
      await queue.schedules.arm(firing('nightly', due, { rule: once }));
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: due, ahead: 'finished', made: 1 }]);
      expect(await queue.schedules.arm(firing('nightly', due + HOUR, { runsBefore: 0 }))).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toMatchObject([
        { dueAt: due + HOUR, ahead: 'scheduled', made: 2 },
      ]);
      expect(await queue.readJob(formatFiringId('nightly', due))).toMatchObject({ state: 'SUCCESS' });
    }),

    defineRule('of several that arm at once one firing is ahead', async ({ broker, openBroker }) => {
      const queue = broker.queue(queueName());
      const other = (await openBroker()).queue(queue.name);
      const begin = DUE + HOUR;
      const armed = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          (index % 2 === 0 ? queue : other).schedules.arm(firing('nightly', begin + (index % 4) * HOUR)),
        ),
      );
      expect(armed).not.toContain(false);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1 });
      const [state] = await queue.schedules.read(['nightly']);
      expect(state).toMatchObject({ ahead: 'scheduled', made: 1 });
      expect(await queue.readJob(formatFiringId('nightly', state?.dueAt ?? 0))).toMatchObject({ state: 'SCHEDULED' });
    }),

    defineRule('a due time that has a job already is passed over', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const due = DUE;
      await queue.schedules.arm(firing('nightly', due - HOUR, { rule: ruleOf({ every: '1h' }, { missed: SKIP }) }));
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      await probe.stop();
      await queue.schedules.remove('nightly');
      await queue.schedules.arm(firing('nightly', due - 2 * HOUR));
      expect(await queue.schedules.advance('nightly', due - 2 * HOUR, due - HOUR)).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: due, ahead: 'waiting', made: 2 }]);
    }),

    defineRule('names of any characters are ids', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const names = ['a:b:c:d: * * *', 'räume/öffnen "jetzt"', "it's %_\\ 1", '2031:1:2:3:60000', '*'];
      for (const name of names) await queue.schedules.arm(firing(name, DUE));
      expect((await queue.schedules.read(names)).map((state) => state?.id)).toEqual(names);
      const probe = await consume(queue.name);
      const taken = await probe.taken.take(names.length);
      expect(taken.map(({ id }) => id).toSorted()).toEqual(names.map((name) => formatFiringId(name, DUE)).toSorted());
      await probe.settled();
      for (const state of await queue.schedules.read(names))
        expect(state).toMatchObject({ ahead: 'scheduled', made: 2 });
      for (const name of names) expect(await queue.schedules.remove(name)).toBe(true);
      expect(await queue.counts()).toMatchObject({ scheduled: 0 });
      expect(probe.troubles.all).toEqual([]);
    }),

    defineRule(
      'every firing has the priority of its scheduler, and keeps no result where that says so',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const due = DUE;
        const job = { task: 'work', args: [], meta: {}, ignoreResult: true };
        await queue.enablePriorities();
        await queue.schedules.arm(firing('low', due, { job: { ...job, priority: 1 } }));
        await queue.schedules.arm(firing('high', due, { job: { ...job, priority: 9 } }));
        const probe = await workshop.consume(queue.name);
        expect((await probe.taken.take(2)).map(({ id, priority }) => [id, priority])).toEqual([
          [formatFiringId('high', due), 9],
          [formatFiringId('low', due), 1],
        ]);
        await probe.settled();
        for (const id of ['low', 'high']) {
          expect(await queue.readJob(formatFiringId(id, due))).toBeUndefined();
          const [state] = await queue.schedules.read([id]);
          const next = await queue.readJob(formatFiringId(id, state?.dueAt ?? 0));
          expect(next).toMatchObject({ priority: id === 'low' ? 1 : 9, state: 'SCHEDULED' });
        }
      },
    ),

    defineRule('a worker that takes the firing ahead goes on before it runs', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const due = DUE;
      await queue.schedules.arm(firing('nightly', due, { runsBefore: 4 }));
      const probe = await workshop.consume(queue.name, {
        perform: async () => ({ kind: 'succeeded', result: await queue.schedules.read(['nightly']) }),
      });
      expect(await probe.taken.next()).toMatchObject({ id: formatFiringId('nightly', due), task: 'work' });
      await probe.settled();
      const seen = (await queue.readJob(formatFiringId('nightly', due)))?.result as { dueAt: number }[];
      const next = nextRun(HOURLY.schedule, (await queue.readJob(formatFiringId('nightly', due)))?.startedAt ?? 0);
      expect(seen).toMatchObject([{ id: 'nightly', dueAt: next, ahead: 'scheduled', made: 2, runsBefore: 4 }]);
      expect(await queue.readJob(formatFiringId('nightly', next ?? 0))).toMatchObject({
        args: [1, { text: 'two' }],
        meta: { schedule: { entry: 'nightly' } },
        dueAt: next,
      });
    }),

    defineRule('a worker of several queues does so too', async (workshop) => {
      const queues = [workshop.broker.queue(queueName()), workshop.broker.queue(queueName())];
      for (const { schedules } of queues) await schedules.arm(firing('nightly', DUE));
      const probe = await workshop.consume(queues.map(({ name }) => name));
      await probe.taken.take(2);
      await probe.settled();
      for (const { schedules } of queues) {
        expect(await schedules.read(['nightly'])).toMatchObject([{ ahead: 'scheduled', made: 2 }]);
      }
    }),

    defineRule('due times are those of the entry over both changes of the clock, each fired once', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      for (const [id, startAt, endAt] of CLOCK_CHANGES) {
        const rule = ruleOf(
          { cron: '30 2 * * *', timezone: 'Europe/Berlin', startAt, endAt },
          { missed: { ...ONCE, policy: 'all' } },
        );
        const dueTimes = listRuns(rule.schedule, { after: 0, limit: 10 });
        await queue.schedules.arm(firing(id, dueTimes[0] ?? 0, { rule }));
        const probe = await workshop.consume(queue.name);
        const taken = await probe.taken.take(dueTimes.length);
        expect(taken.map((job) => job.id)).toEqual(dueTimes.map((dueAt) => formatFiringId(id, dueAt)));
        await probe.settled();
        await probe.stop();
        expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0 });
        expect(await queue.schedules.read([id])).toMatchObject([
          { dueAt: dueTimes.at(-1), ahead: 'finished', made: dueTimes.length },
        ]);
      }
    }),

    defineRule('after the last of its runs an entry has none ahead', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const due = DUE;
      const rule = ruleOf({ every: '1h', maxRuns: 5 }, { missed: { ...ONCE, policy: 'all' } });
      await queue.schedules.arm(firing('nightly', due - 10 * HOUR, { rule, runsBefore: 2 }));
      const probe = await consume(queue.name);
      await probe.taken.take(3);
      await probe.settled();
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0, completed: 3 });
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ made: 3, ahead: 'finished', runsBefore: 2 }]);
    }),

    defineRule('taken late, it goes on by the rule for what was missed', async ({ broker, consume }) => {
      const due = DUE;
      const cases: [missed: ChainRule['missed'], fired: number][] = [
        [ONCE, 1],
        [SKIP, 1],
        [{ policy: 'once', windowMs: 2 * HOUR, atMost: 100 }, 2],
        [{ policy: 'all', windowMs: null, atMost: 3 }, 4],
      ];
      for (const [missed, fired] of cases) {
        const queue = broker.queue(queueName());
        await queue.schedules.arm(firing('nightly', due - 24 * HOUR, { rule: ruleOf({ every: '1h' }, { missed }) }));
        const probe = await consume(queue.name);
        await probe.taken.take(fired);
        await probe.settled();
        expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1, completed: fired });
        expect(await queue.schedules.read(['nightly'])).toMatchObject([{ ahead: 'scheduled', made: fired + 1 }]);
      }
    }),

    defineRule('a worker that dies before it has gone on leaves that to the next one', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const due = DUE;
      await queue.schedules.arm(firing('nightly', due));
      expect(await workshop.takeAndDie(queue.name, 300)).toBe(formatFiringId('nightly', due));
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: due, ahead: 'active', made: 1 }]);
      const rescuer = await workshop.consume(queue.name, { lockDurationMs: 300 });
      expect(await rescuer.taken.next()).toMatchObject({ id: formatFiringId('nightly', due) });
      await rescuer.settled();
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ ahead: 'scheduled', made: 2 }]);
    }),

    defineRule('one that dies after it has gone on adds no other when its firing is taken again', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const due = DUE;
      await queue.schedules.arm(firing('nightly', due));
      expect(await loseWorker(workshop, queue.name, 300)).toBe(formatFiringId('nightly', due));
      const before = await queue.schedules.read(['nightly']);
      expect(before).toMatchObject([{ ahead: 'scheduled', made: 2 }]);
      const rescuer = await workshop.consume(queue.name, { lockDurationMs: 300 });
      expect(await rescuer.taken.next()).toMatchObject({ id: formatFiringId('nightly', due), workersLost: 1 });
      await rescuer.settled();
      expect(await queue.schedules.read(['nightly'])).toEqual(before);
    }),

    defineRule('what a beat has gone on from, a worker does not go on from again', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const due = DUE;
      await queue.schedules.arm(firing('nightly', due));
      await queue.schedules.advance('nightly', due, due + 5 * HOUR);
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: due + 5 * HOUR, made: 2 }]);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1 });
    }),

    defineRule('one that was removed does not come back with the firing that was due', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.schedules.arm(firing('nightly', DUE));
      await queue.schedules.remove('nightly');
      const probe = await consume(queue.name);
      await probe.taken.next();
      await probe.settled();
      expect(await queue.schedules.size()).toBe(0);
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 0, completed: 1 });
    }),

    defineRule('purging, removing and moving jobs leave the firing ahead', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const ahead = formatFiringId('nightly', DUE + HOUR);
      await queue.schedules.arm(firing('nightly', DUE));
      await queue.schedules.advance('nightly', DUE, DUE + HOUR);
      expect((await queue.listScheduled(0, 10)).map(({ id, dueAt }) => [id, dueAt])).toEqual([[ahead, DUE + HOUR]]);
      expect(await queue.bulk.remove([ahead], ['scheduled', 'waiting'])).toEqual([]);
      expect(await queue.bulk.move([ahead], queueName(), ['scheduled', 'waiting'])).toEqual([]);
      // BullMQ's PostgreSQL backend leaves the firing before it too.
      await queue.purge();
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: DUE + HOUR, ahead: 'scheduled' }]);
    }),

    defineRule(
      'a firing ahead that was revoked is filed away in its time, and the next one comes',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const ahead = formatFiringId('nightly', DUE + HOUR);
        await queue.schedules.arm(firing('nightly', DUE + HOUR));
        const briefs = await queue.revoke([ahead], { at: systemClock.now(), by: 'ann' });
        expect(briefs).toMatchObject([{ id: ahead, phase: 'scheduled' }]);
        await queue.bulk.promote([ahead]);
        const probe = await workshop.consume(queue.name, {
          perform: ({ revoked }) => ({ kind: 'ended', state: 'REVOKED', reason: revoked?.by ?? 'not revoked' }),
        });
        await probe.taken.next();
        await probe.settled();
        expect(await queue.readJob(ahead)).toMatchObject({ state: 'REVOKED', reason: 'ann' });
        expect(await queue.schedules.read(['nightly'])).toMatchObject([{ dueAt: DUE + 2 * HOUR, ahead: 'scheduled' }]);
      },
    ),

    defineRule('those of plain BullMQ are listed, read and removed', async ({ broker, plainQueue }) => {
      const queue = broker.queue(queueName());
      const plain = plainQueue(queue.name);
      await plain.upsertJobScheduler('pace', { every: 60_000, startDate: systemClock.now() + HOUR }, { name: 'a' });
      await plain.upsertJobScheduler('cron', { pattern: '0 0 1 1 *', tz: 'Asia/Tokyo' }, { name: 'b' });
      expect((await queue.schedules.list(0, 10)).map(({ id }) => id).toSorted()).toEqual(['cron', 'pace']);
      expect(await queue.schedules.read(['pace', 'cron'])).toMatchObject([
        { id: 'pace', task: 'a', text: 'every 60000 ms', rule: undefined, made: 1, ahead: 'scheduled' },
        { id: 'cron', task: 'b', text: '0 0 1 1 *', rule: undefined, made: 1, ahead: 'scheduled' },
      ]);
      const [state] = await queue.schedules.read(['cron']);
      expect(await queue.schedules.advance('cron', state?.dueAt ?? 0, (state?.dueAt ?? 0) + HOUR)).toBe(false);
      expect(await queue.schedules.remove('pace')).toBe(true);
      expect(await queue.schedules.remove('cron')).toBe(true);
      expect(await queue.counts()).toMatchObject({ scheduled: 0, waiting: 0 });
      expect(await plain.getJobSchedulersCount()).toBe(0);
    }),

    defineRule('those of plain BullMQ go on as BullMQ lets them', async ({ broker, plainQueue, consume }) => {
      const queue = broker.queue(queueName());
      const plain = plainQueue(queue.name);
      await plain.upsertJobScheduler('pace', { every: 200 }, { name: 'a' });
      await plain.upsertJobScheduler('cron', { pattern: '* * * * * *' }, { name: 'b' });
      const probe = await consume(queue.name);
      const seen: string[] = [];
      while (seen.filter((task) => task === 'b').length < 2 || seen.filter((task) => task === 'a').length < 2) {
        seen.push((await probe.taken.next()).task);
      }
      expect(probe.troubles.all).toEqual([]);
    }),

    defineRule('plain BullMQ sees ours, with the pattern that it understands', async ({ broker, plainQueue }) => {
      const queue = broker.queue(queueName());
      const dueAt = DUE + HOUR;
      const rule = ruleOf({ cron: '0 * * * *', timezone: 'Europe/Berlin' });
      await queue.schedules.arm(firing('nightly', dueAt, { rule }));
      const plain = plainQueue(queue.name);
      expect(await plain.getJobScheduler('nightly')).toMatchObject({
        ...{ key: 'nightly', name: 'work', next: dueAt, pattern: '0 * * * *', tz: 'Europe/Berlin', iterationCount: 1 },
        template: { data: { args: [1, { text: 'two' }] } },
      });
      const [job] = await plain.getDelayed();
      expect(job).toMatchObject({ id: formatFiringId('nightly', dueAt), repeatJobKey: 'nightly' });
      expect(job?.opts).toMatchObject({ prevMillis: dueAt, repeat: { pattern: '0 * * * *', count: 1 } });
      expect(await plain.removeJobScheduler('nightly')).toBe(true);
      expect(await queue.schedules.size()).toBe(0);
    }),
  ],
};
