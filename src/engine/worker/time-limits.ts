import { MAX_TIMER_MS } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import type { TaskDefinition } from '../task/definition.ts';
import type { AttemptJob } from './attempt-job.ts';

/** Limits of one task; undefined for none. */
export interface TaskLimits {
  readonly softTimeLimitMs: number | undefined;
  readonly timeLimitMs: number | undefined;
}

/** Limits of the worker, for tasks and calls that have none. */
export interface WorkerLimits {
  /** By the names of tasks, in place of what their definitions say: an operator has changed them. */
  readonly taskLimits?: ReadonlyMap<string, TaskLimits>;
  readonly softTimeLimitMs?: number | undefined;
  readonly timeLimitMs?: number | undefined;
}

interface Limited {
  readonly job: AttemptJob;
  readonly definition: TaskDefinition;
  readonly worker: WorkerLimits;
  /** The soft limit has passed, with the error that says so. */
  readonly onSoft: (error: Error, limitMs: number) => void;
  /** The hard limit has passed. */
  readonly onHard: (error: Error) => void;
}

/** Node has no longer timers, and no process lives so long. */
const canPass = (limitMs: number | undefined): limitMs is number => limitMs !== undefined && limitMs <= MAX_TIMER_MS;

const NOTHING_TO_DISARM = (): void => {};

/**
 * Arms the soft and the hard limit of an attempt: those of the call, else those of the task, else those of the worker.
 *
 * @returns a function that disarms both
 */
export function armLimits({ job, definition, worker, onSoft, onHard }: Limited): () => void {
  const task = worker.taskLimits?.get(job.task) ?? definition;
  const softMs = job.meta.softTimeLimitMs ?? task.softTimeLimitMs ?? worker.softTimeLimitMs;
  const hardMs = job.meta.timeLimitMs ?? task.timeLimitMs ?? worker.timeLimitMs;
  if (!canPass(softMs) && !canPass(hardMs)) return NOTHING_TO_DISARM;
  const timers: NodeJS.Timeout[] = [];
  if (canPass(softMs)) {
    const expire = (): void => onSoft(createError('SOFT_TIME_LIMIT', { task: job.task, limitMs: softMs }), softMs);
    timers.push(setTimeout(expire, softMs));
  }
  if (canPass(hardMs)) {
    const expire = (): void => onHard(createError('TIME_LIMIT', { task: job.task, limitMs: hardMs }));
    timers.push(setTimeout(expire, hardMs));
  }
  return () => timers.forEach(clearTimeout);
}
