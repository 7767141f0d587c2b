import type { IQueueBackend } from 'bullmq';
import { createError } from '../core/errors.ts';

/** What BullMQ's backends take for one job of a flow. */
export type FlowEntry = Parameters<IQueueBackend['addFlow']>[0][number];

/** BullMQ's code for a child whose parent is not stored. */
const PARENT_MISSING = -5;

/** Why a store refused a job of a flow, from BullMQ's code. */
export function flowRefusal({ jobData, jobId }: FlowEntry, code: number): Error {
  const parent = jobData.parent?.id ?? '';
  if (code === PARENT_MISSING) return createError('PARENT_MISSING', { id: jobId, parent });
  // The code -7, the only other one: the job has a parent that is stored and is not this one.
  const reason = `it is stored as the child of another job than ${parent} (${code})`;
  return createError('INTERNAL', { doing: `adding job ${jobId}`, reason });
}
