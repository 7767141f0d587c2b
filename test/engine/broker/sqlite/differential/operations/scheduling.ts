import { Job, type RepeatOptions } from 'bullmq';
import fc from 'fast-check';
import { define } from '../definition.ts';
import type { QueueIndex } from '../world.ts';
import { data, name, queue, rarely, record } from './choices.ts';
import { templateOptions } from './job-options.ts';

const id = fc.constantFrom('hourly', 'b:c', 'naïve 😀');

/** When a scheduler fires. Instants are given in milliseconds from now. */
export interface Schedule {
  readonly every?: number;
  readonly pattern?: string;
  readonly tz?: string;
  readonly limit?: number;
  readonly offset?: number;
  readonly immediately?: boolean;
  readonly startInMs?: number;
  readonly endInMs?: number;
}

const bounds = {
  limit: rarely(20, fc.constantFrom(1, 2)),
  startInMs: rarely(15, fc.constantFrom(60_000, 5000)),
  endInMs: rarely(20, fc.constantFrom(60_000, 10_000)),
};

/** The other's members are absent. */
const none = fc.constant(undefined);

const interval = record<Schedule>({
  every: fc.constantFrom(10_000, 1000, 7000, 60_000),
  offset: rarely(30, fc.constantFrom(1000, 3500)),
  ...{ pattern: none, tz: none, immediately: none },
  ...bounds,
});

const cron = record<Schedule>({
  pattern: fc.constantFrom('*/10 * * * * *', '0 * * * *', '30 */2 * * * *'),
  tz: rarely(40, fc.constantFrom('UTC', 'Europe/Zurich')),
  immediately: rarely(30, fc.boolean()),
  ...{ every: none, offset: none },
  ...bounds,
});

const schedule = fc.oneof(
  { weight: 10, arbitrary: interval },
  { weight: 8, arbitrary: cron },
  // What is refused: neither of both, both, an end that is over.
  {
    weight: 1,
    arbitrary: fc.constantFrom<Schedule>({}, { every: 1000, pattern: '* * * * * *' }, { every: 1000, endInMs: -1000 }),
  },
);

export interface Template {
  readonly name?: string;
  readonly data?: unknown;
  readonly opts?: object;
}

const template = record<Template>({
  name: rarely(50, name),
  data: rarely(60, data),
  opts: rarely(60, templateOptions),
});

export const scheduling = {
  upsertJobScheduler: define(
    8,
    record<{ queue: QueueIndex; id: string; schedule: Schedule; template?: Template }>({
      ...{ queue, id, schedule },
      template: rarely(70, template),
    }),
    (world, given) =>
      world.queues[given.queue].upsertJobScheduler(
        given.id,
        toRepeat(given.schedule, world.clock.now),
        given.template as never,
      ),
  ),

  removeJobScheduler: define(3, record<{ queue: QueueIndex; id: string }>({ queue, id }), (world, given) =>
    world.queues[given.queue].removeJobScheduler(given.id),
  ),

  getJobScheduler: define(1, record<{ queue: QueueIndex; id: string }>({ queue, id }), async (world, given) => {
    const queue = world.queues[given.queue];
    const { opts, ...stored } = await queue.getBackend().getJobSchedulerData(given.id);
    return {
      scheduler: await queue.getJobScheduler(given.id),
      // Read as BullMQ does, since a store may write the options in an order and with names of its own.
      stored: { ...stored, ...(opts !== undefined && { opts: Job.optsFromJSON(opts) }) },
      isScheduler: await queue.getBackend().isJobScheduler(given.id),
    };
  }),

  getJobSchedulers: define(
    1,
    record<{ queue: QueueIndex; start: number; end: number; asc: boolean }>({
      ...{ queue, start: fc.nat(2), asc: fc.boolean() },
      end: fc.constantFrom(-1, 0, 1),
    }),
    (world, given) => world.queues[given.queue].getJobSchedulers(given.start, given.end, given.asc),
  ),
};

function toRepeat({ startInMs, endInMs, ...rest }: Schedule, now: number): Omit<RepeatOptions, 'key'> {
  return {
    ...rest,
    ...(startInMs !== undefined && { startDate: now + startInMs }),
    ...(endInMs !== undefined && { endDate: now + endInMs }),
  };
}
