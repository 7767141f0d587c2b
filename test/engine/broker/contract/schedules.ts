import { expect } from 'vitest';
import type { ArmedFiring } from '../../../../src/engine/broker/schedule-port.ts';
import type { ChainRule } from '../../../../src/engine/core/schedule/chain.ts';
import { formatFiringId } from '../../../../src/engine/core/schedule/firing.ts';
import { parseSchedule, type ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const HOUR = 3_600_000;
const ONCE: ChainRule['missed'] = { policy: 'once', windowMs: null, atMost: 100 };

/** When the hour of the test begins: what is due then has passed, the next hour is to come. */
function thisHour(): number {
  return Math.floor(systemClock.now() / HOUR) * HOUR;
}

function ruleOf(options: ScheduleOptions, rest: Partial<ChainRule> = {}): ChainRule {
  return { schedule: parseSchedule(options, 'entry'), missed: ONCE, overlap: 'allow', ...rest };
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
      const dueAt = thisHour() + HOUR;
      expect(await queue.schedules.arm(firing('nightly', dueAt, { runsBefore: 7 }))).toBe(true);
      expect(await queue.schedules.read(['nightly'])).toEqual([
        {
          ...{ id: 'nightly', dueAt, ahead: 'scheduled', made: 1, runsBefore: 7, rule: HOURLY, task: 'work' },
          text: 'tq: every hour',
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
      const dueAt = thisHour();
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
      const [from, to] = [thisHour(), thisHour() + HOUR];
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
      const from = thisHour();
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
      const begin = thisHour() + HOUR;
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
      const [due, later] = [thisHour(), thisHour() + HOUR];
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
      const [before, after] = [thisHour() + HOUR, thisHour() + 2 * HOUR];
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

    defineRule('arming again for the same due time replaces the firing', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const dueAt = thisHour() + HOUR;
      await queue.schedules.arm(firing('nightly', dueAt));
      const job = { task: 'work', args: ['new'], meta: {}, ignoreResult: true };
      expect(await queue.schedules.arm(firing('nightly', dueAt, { job }))).toBe(true);
      expect(await queue.readJob(formatFiringId('nightly', dueAt))).toMatchObject({ args: ['new'], dueAt });
      expect(await queue.counts()).toMatchObject({ waiting: 0, scheduled: 1 });
      expect(await queue.schedules.read(['nightly'])).toMatchObject([{ made: 1 }]);
    }),

    defineRule('arming again leaves a firing that is due and waits, also in a paused queue', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const [due, next] = [thisHour(), thisHour() + HOUR];
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
        const due = thisHour();
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
  ],
};
