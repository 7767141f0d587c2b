import type { Broker } from '../engine/broker/port.ts';
import { createError } from '../engine/core/errors.ts';
import type { StoredJob } from '../engine/core/job.ts';
import { findJob } from '../engine/results/job-result.ts';
import { toFinishedJob } from '../engine/results/stored-result.ts';
import type { Session } from './session.ts';

/**
 * Looks for a job by its id: in the queue that is named, or else first in the queues that the app declares, since listing
 * every queue of a large store costs more than a few reads, then in all others.
 *
 * BullMQ numbers the jobs of each queue by itself, so a number is searched in every queue: showing the first job 7 of
 * several would show the wrong one.
 *
 * @throws AMBIGUOUS_JOB when several queues hold this number
 */
export async function readJobAnywhere(session: Session, id: string, queue?: string): Promise<StoredJob | undefined> {
  const broker = await session.broker();
  if (queue !== undefined) return await broker.queue(queue).readJob(id);
  if (/^\d+$/.test(id)) return await readNumberedJob(broker, id);
  return (await findJob(broker, id, await readDeclaredQueues(session)))?.job;
}

/**
 * A job by its id: as the broker holds it, or else as the result store does.
 *
 * @throws AMBIGUOUS_JOB when several queues hold this number
 */
export async function readResultAnywhere(session: Session, id: string, queue?: string): Promise<StoredJob | undefined> {
  const job = await readJobAnywhere(session, id, queue);
  if (job !== undefined) return job;
  const [row, ...others] = (await (await session.results())?.read(id, queue)) ?? [];
  if (row === undefined) return undefined;
  if (others.length > 0) throw createError('AMBIGUOUS_JOB', { id, queues: [row, ...others].map((each) => each.queue) });
  return toFinishedJob(row);
}

async function readNumberedJob(broker: Broker, id: string): Promise<StoredJob | undefined> {
  const names = await broker.listQueues();
  const jobs = (await Promise.all(names.map((name) => broker.queue(name).readJob(id)))).filter(
    (job) => job !== undefined,
  );
  if (jobs.length > 1) throw createError('AMBIGUOUS_JOB', { id, queues: jobs.map((job) => job.queue) });
  return jobs[0];
}

/** The declared queues are only where to look first: an app that cannot be loaded must not hide a job. */
export async function readDeclaredQueues(session: Session): Promise<readonly string[]> {
  try {
    return (await session.app()).queues;
  } catch {
    return [];
  }
}
