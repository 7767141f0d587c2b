import type { StoredJob } from '../job.ts';
import type { JobStanding } from '../job-standing.ts';
import type { JobState } from '../state.ts';

/** Everything that the reasons of one job are found from. Instants are epoch milliseconds, spans milliseconds. */
export interface WhyFacts {
  readonly now: number;
  readonly job: StoredJob;
  readonly standing: JobStanding;
  /** The live workers that answered. */
  readonly workers: readonly WorkerFacts[];
  /** Live workers that did not. */
  readonly silent: readonly string[];
  /** Since when its task is paused; null when it is not. */
  readonly taskPausedSince: number | null;
  /** What holds it back among the scheduled jobs, when it does not wait for its own time. */
  readonly held: HoldFacts | null;
  /** Workers that have put it back because they do not register its task. */
  readonly putBackBy: readonly string[];
  /** Children that it waits for, as many as were looked at. */
  readonly children: readonly ChildFacts[];
  /** Of the workflow that it is a step of, when that is known. */
  readonly workflow: { readonly id: string; readonly state: JobState } | null;
}

export interface WorkerFacts {
  readonly name: string;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly running: readonly RunningFacts[];
  /** Ids of jobs that it has taken and that wait for a slot. */
  readonly reserved: readonly string[];
  readonly lockDurationMs: number;
  /** Why it is not ready, one sentence each; empty when it is. */
  readonly problems: readonly string[];
  /** Its tasks by name; null when it did not say. */
  readonly tasks: ReadonlyMap<string, TaskFacts> | null;
}

export interface RunningFacts {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly runningMs: number;
}

export interface TaskFacts {
  readonly timeLimitMs: number | null;
  /** `100/m`, `100/m global`; null for none. */
  readonly rateLimit: string | null;
  readonly concurrency: number | null;
}

export interface HoldFacts {
  readonly by: 'pause' | 'concurrency' | 'rate';
  /** Of a concurrency limit: the jobs that have its places now, and the workers that run them. */
  readonly holders: readonly { readonly id: string; readonly worker: string }[];
}

export interface ChildFacts {
  readonly queue: string;
  readonly id: string;
  /** Null of one that is not stored, whose state is UNKNOWN. */
  readonly task: string | null;
  readonly state: JobState;
  readonly error: string | null;
}

/** Those that take jobs of the queue. */
export function listServing({ workers, job }: WhyFacts): WorkerFacts[] {
  return workers.filter(({ queues }) => queues.includes(job.queue));
}
