import type { ArmedFiring } from '../broker/schedule-port.ts';
import type { Meta } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import type { NewJob } from '../core/job.ts';
import { createJobId } from '../core/job-id.ts';
import type { EntryDefinition } from '../core/schedule/entry.ts';
import type { FiringMark } from '../core/schedule/firing.ts';
import type { ScheduleQueue } from './schedule-broker.ts';

/** What each firing of an entry is. Its id and due time are those of the firing. */
export function createFiringJob(
  entry: string,
  definition: EntryDefinition,
  priority: number | undefined,
): ArmedFiring['job'] {
  const { schedule, overlap, missed } = definition;
  const mark: FiringMark = {
    entry,
    ...(overlap !== 'allow' && { overlap }),
    ...(missed.windowMs !== null && { windowMs: missed.windowMs }),
    ...(schedule.jitterMs > 0 && { jitterMs: schedule.jitterMs }),
  };
  return createJob(definition, mark, priority);
}

/** A firing by hand: a job like any other, due now. It waits for no jitter, and runs beside what runs. */
export function createFiringByHand(
  entry: string,
  definition: EntryDefinition,
  { priority, now }: { readonly priority: number | undefined; readonly now: number },
): NewJob {
  return { id: createJobId(now), createdAt: now, ...createJob(definition, { entry, dueAt: now }, priority) };
}

function createJob(
  { task, args, call }: EntryDefinition,
  mark: FiringMark,
  priority: number | undefined,
): ArmedFiring['job'] {
  const { expiresMs, headers, softTimeLimitMs, timeLimitMs, retry, resultExpiresMs, ignoreResult } = call;
  const meta: Meta = {
    schedule: { ...mark, ...(expiresMs !== undefined && { expiresMs }) },
    ...(headers !== undefined && { headers }),
    ...(softTimeLimitMs !== undefined && { softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(retry !== undefined && { retry }),
    ...(resultExpiresMs !== undefined && { resultExpiresMs }),
  };
  return {
    task,
    args,
    meta,
    ...(priority !== undefined && { priority }),
    ...(ignoreResult === true && { ignoreResult }),
  };
}

/**
 * The priority of an entry's firings: on a queue with priorities every job has one, 0 without a wish.
 *
 * @throws PRIORITIES_OFF for a wish on any other queue
 */
export async function priorityOf(queue: ScheduleQueue, { task, call }: EntryDefinition): Promise<number | undefined> {
  if (await queue.hasPriorities()) return call.priority ?? 0;
  if (call.priority === undefined) return undefined;
  if (await queue.hasPriorities(true)) return call.priority;
  throw createError('PRIORITIES_OFF', { queue: queue.name, task });
}
