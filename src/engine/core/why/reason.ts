import type { Firing } from '../schedule/firing.ts';
import type { JobState } from '../state.ts';

/** What can be said of a job that does not run, or has ended. docs/why.md has each with what to do. */
export const REASON_CODES = [
  'SUCCEEDED',
  'DEAD',
  'WORKFLOW_FAILED',
  'REVOKED',
  'EXPIRED',
  'IGNORED',
  'RUNNING',
  'RESERVED',
  'TIME_LIMIT_PASSED',
  'WORKER_SILENT',
  'WORKER_GONE',
  'SCHEDULED',
  'JITTER',
  'RETRY_DUE',
  'OVERDUE',
  'CHILD_DEAD',
  'CHILD_MISSING',
  'CHILDREN_PENDING',
  'WORKFLOW_CANCELLED',
  'QUEUE_PAUSED',
  'NO_WORKER',
  'TASK_PAUSED',
  'TASK_NOT_REGISTERED',
  'TASK_RATE_LIMITED',
  'TASK_CONCURRENCY_FULL',
  'QUEUE_RATE_LIMITED',
  'QUEUE_CONCURRENCY_FULL',
  'WORKER_NOT_READY',
  'SLOTS_BUSY',
  'JOBS_BEFORE',
  'READY',
  'ORPHANED',
  'UNKNOWN',
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];

/** One reason why a job is where it is. */
export interface Reason {
  readonly code: ReasonCode;
  /** The facts, one sentence. */
  readonly message: string;
  /** When it ends by itself, epoch ms; null when nobody can tell, or it does not. */
  readonly until: number | null;
  /** What to do about it; null when there is nothing to do. */
  readonly next: string | null;
}

/** Why a job does not run, or what happened to it. */
export interface JobExplanation {
  readonly id: string;
  /** Null of an unknown id, as the queue is. */
  readonly task: string | null;
  readonly queue: string | null;
  readonly state: JobState;
  /** The schedule entry that it is a firing of, and when it was due. */
  readonly schedule: Firing | null;
  /** What must go first comes first; never empty. */
  readonly reasons: readonly Reason[];
}

export function reason(
  code: ReasonCode,
  message: string,
  { next = null, until = null }: { readonly next?: string | null; readonly until?: number | null } = {},
): Reason {
  return { code, message, until, next };
}

const LONGEST_TEXT = 300;

/** An error as a part of a sentence: its name and the first line of its message. */
export function nameError({ name, message }: { readonly name: string; readonly message: string }): string {
  const [line = ''] = message.split('\n');
  const text = line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
  return text === '' ? name : `${name}: ${text}`;
}
