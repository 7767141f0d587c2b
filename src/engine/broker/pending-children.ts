import type { IQueueBackend } from 'bullmq';
import { overrideMethod } from './patient-backend.ts';

/** BullMQ's code for a job that cannot be completed: children of it have not ended. */
const PENDING_CHILDREN = -4;
const NO_NEXT_JOB = { result: undefined, finishedOn: 0 };

/**
 * BullMQ makes a dead letter of a job that is to be completed while children of it are out. Here it waits for them, and is taken
 * again when they have ended: a revoked one is filed away then, and one that gave a result runs again.
 */
export function waitForPendingChildren(backend: IQueueBackend): void {
  overrideMethod(backend, 'moveToCompleted', (complete) => async (...args) => {
    for (;;) {
      try {
        return await complete(...args);
      } catch (error) {
        if ((error as { code?: unknown } | null)?.code !== PENDING_CHILDREN) throw error;
        const [job, , , token] = args as Parameters<IQueueBackend['moveToCompleted']>;
        // The last one may have ended meanwhile; the answer is undefined when the lock was lost.
        const waits: boolean | undefined = await backend.moveToWaitingChildren(job.id as string, token);
        if (waits !== false) return NO_NEXT_JOB;
      }
    }
  });
}
