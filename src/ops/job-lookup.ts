import type { StoredJob } from '../engine/core/job.ts';
import { findJob } from '../engine/results/job-result.ts';
import type { Session } from './session.ts';

/**
 * Looks for a job by its id alone: first in the queues that the app declares, since listing every queue of a large store
 * costs more than a few reads, then in all others.
 */
export async function readJobAnywhere(session: Session, id: string): Promise<StoredJob | undefined> {
  const broker = await session.broker();
  return (await findJob(broker, id, await readDeclaredQueues(session)))?.job;
}

/** The declared queues are only where to look first: an app that cannot be loaded must not hide a job. */
async function readDeclaredQueues(session: Session): Promise<readonly string[]> {
  try {
    return (await session.app()).queues;
  } catch {
    return [];
  }
}
