import type { JobJson, JobsOptions } from 'bullmq';
import type { NewJob, ParentJob } from '../core/job.ts';
import type { FlowEntry } from './flow-entry.ts';
import type { FlowJob } from './port.ts';
import { encodePriority } from './stored-job.ts';

/**
 * The record that BullMQ's `Queue.add` would hand to its backend. Written here because `Queue.add` takes the id and the
 * time as options and stores them twice with every job.
 *
 * @param prefix BullMQ's key prefix, empty where the store has none
 */
export function toJobJson(job: NewJob, prefix: string): JobJson {
  const { id, task: name, createdAt: timestamp } = job;
  const opts = toJobOptions(job);
  const json = { id, name, data: formatData(job), opts, timestamp };
  return {
    ...json,
    ...(opts.delay !== undefined && { delay: opts.delay }),
    ...(job.unique !== undefined && { deduplicationId: job.unique.key }),
    ...(job.parent !== undefined && toParentFields(job.parent, prefix)),
  } as JobJson;
}

/** The envelope of a call, as JSON. */
export function formatData({ args, argsJson, meta }: Pick<NewJob, 'args' | 'argsJson' | 'meta'>): string {
  return `{"args":${argsJson ?? JSON.stringify(args)},"meta":${JSON.stringify(meta)}}`;
}

function toJobOptions(job: NewJob): JobsOptions {
  const options: JobsOptions = {};
  if (job.delayMs !== undefined && job.delayMs > 0) options.delay = job.delayMs;
  if (job.priority !== undefined) options.priority = encodePriority(job.priority);
  if (job.ignoreResult === true) options.removeOnComplete = true;
  if (job.unique !== undefined) {
    const { key: id, ttlMs: ttl } = job.unique;
    options.deduplication = { id, ...(ttl !== undefined && { ttl }) };
  }
  // BullMQ's PostgreSQL backend reads here what the others read in `parent`.
  if (job.parent?.onDead === 'start') options.continueParentOnFailure = true;
  if (job.parent?.onDead === 'wait') options.ignoreDependencyOnFailure = true;
  return options;
}

function toParentFields({ queue, id, onDead }: ParentJob, prefix: string): Pick<JobJson, 'parent' | 'parentKey'> {
  const queueKey = prefix === '' ? queue : `${prefix}:${queue}`;
  return {
    parent: { id, queueKey, ...(onDead === 'start' ? { cpof: true } : { idof: true }) },
    parentKey: `${queueKey}:${id}`,
  };
}

/** How a job is handed to `Store.addFlow`. */
export function toFlowEntry({ queue, job, hasChildren }: FlowJob, prefix: string): FlowEntry {
  const jobData = toJobJson(job, prefix);
  const { parentKey } = jobData;
  return {
    jobData,
    jobId: job.id,
    prefix,
    queueName: queue,
    parentKeyOpts: {
      deferParentRelease: true,
      ...(hasChildren && { addToWaitingChildren: true }),
      ...(parentKey !== undefined && { parentKey, parentDependenciesKey: `${parentKey}:dependencies` }),
    },
  };
}
