import type { JobsOptions } from 'bullmq';
import fc from 'fast-check';
import { define } from '../definition.ts';
import type { QueueIndex } from '../world.ts';
import { data, name, queue, record } from './choices.ts';
import { deduplicatedOptions, jobOptions } from './job-options.ts';

export interface JobData {
  readonly name: string;
  readonly data: unknown;
  readonly opts: JobsOptions;
}

type Added = JobData & { queue: QueueIndex };

const job = record<JobData>({ name, data, opts: jobOptions });

export const adding = {
  add: define(30, record<Added>({ queue, name, data, opts: jobOptions }), (world, given) =>
    world.queues[given.queue].add(given.name, given.data, given.opts),
  ),

  addDeduplicated: define(10, record<Added>({ queue, name, data, opts: deduplicatedOptions }), (world, given) =>
    world.queues[given.queue].add(given.name, given.data, given.opts),
  ),

  addBulk: define(
    4,
    record<{ queue: QueueIndex; jobs: JobData[] }>({ queue, jobs: fc.array(job, { maxLength: 4, size: 'max' }) }),
    (world, given) => world.queues[given.queue].addBulk([...given.jobs]),
  ),
};
