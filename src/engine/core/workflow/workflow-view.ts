import type { StoredError } from '../job.ts';
import type { JobState } from '../state.ts';
import type { ErrorPolicy } from './graph.ts';

/**
 * A workflow as one thing, as it was when it was looked at. Instants are epoch milliseconds.
 *
 * Its state is one of those of a job: PENDING or SCHEDULED before its first step, STARTED from then on, and SUCCESS, FAILURE,
 * REVOKED or IGNORED once it has ended; UNKNOWN when its graph is stored but none of its jobs is.
 */
export interface WorkflowView {
  readonly id: string;
  readonly state: JobState;
  readonly progress: WorkflowProgress;
  readonly createdAt: number;
  /** Of the first step. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Why the whole has failed. */
  readonly error: StoredError | null;
  readonly reason: string | null;
  readonly tree: WorkflowStep;
}

/** Callbacks count for nothing here: nobody waits for them. */
export interface WorkflowProgress {
  /** Steps that have ended, in whichever way. */
  readonly done: number;
  /** Steps that are known: those that running jobs add or replace themselves by are counted once they are there. */
  readonly total: number;
  /** How many are in which state. */
  readonly states: Readonly<Partial<Record<JobState, number>>>;
}

/** A part of a workflow, as a reader would draw it. What is no job has neither id nor task, and the times of its parts. */
export interface WorkflowStep {
  readonly kind: 'task' | 'chain' | 'group' | 'chord';
  /**
   * How it came to its place: `step`; the `body` of a chord; `link` and `linkError`, which are callbacks; what a running job
   * `added` to its group; the `replacement` of the job above it.
   */
  readonly role: 'step' | 'body' | 'link' | 'linkError' | 'added' | 'replacement';
  readonly id: string | null;
  readonly task: string | null;
  readonly queue: string | null;
  /**
   * A step that waits for others is BLOCKED until it has a job. One whose job is stored no more is SUCCESS if the next was
   * entered, else UNKNOWN. A job that has replaced itself is STARTED until what took its place has ended.
   */
  readonly state: JobState;
  readonly attempts: number;
  readonly worker: string | null;
  readonly createdAt: number | null;
  readonly dueAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly progress: unknown;
  readonly error: StoredError | null;
  readonly reason: string | null;
  /** What a dead member means to a group or a chord. */
  readonly onError: ErrorPolicy | null;
  /** The steps of a chain; the members of a group; those of a chord and its body; of a task its replacement and its callbacks. */
  readonly children: readonly WorkflowStep[];
}
