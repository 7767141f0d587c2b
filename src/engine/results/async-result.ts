import type { Broker } from '../broker/port.ts';
import type { Duration } from '../core/duration.ts';
import type { StoredError, StoredJob } from '../core/job.ts';
import type { RevokedJob } from '../core/revocation.ts';
import type { JobState } from '../core/state.ts';
import type { WorkflowProgress, WorkflowView } from '../core/workflow/workflow-view.ts';

/** The job behind one call: its state, and its result once there is one. */
export interface AsyncResult<Result = unknown> {
  readonly id: string;
  readonly task: string | undefined;
  readonly queue: string | undefined;
  /** The call stored nothing: a job with the same unique key was there, and this is that job. False for what is no call. */
  readonly isDuplicate: boolean;
  state(): Promise<JobState>;
  /** Everything the broker holds about the job, or else what the result store does; undefined when neither knows it. */
  job(): Promise<StoredJob | undefined>;
  /**
   * Waits for the job to end and gives its result.
   *
   * @throws TaskFailed, TaskRevoked, ResultTimeout, UNKNOWN_JOB
   */
  get(options?: { timeout?: Duration }): Promise<Result>;
  error(): Promise<StoredError | null>;
  /** Attempts that ended, plus the running one; 0 for a job that has not started or is unknown. */
  attempts(): Promise<number>;
  /** What the task last gave to `context().progress()`; null without it. */
  progress(): Promise<unknown>;
  /**
   * Revokes the job: one that waits or is scheduled never starts, one that runs has its signal aborted and is not retried.
   *
   * @param options.terminate ends the process of a running job (pool `prefork`), or waits for its function no more (`async`)
   * @param options.timeout how long a running job is waited for. Default 5 s
   * @returns what happened to it
   */
  revoke(options?: { terminate?: boolean; timeout?: Duration }): Promise<RevokedJob>;
  /** Removes the job and its result from the broker and from the result store, if it has finished. */
  forget(): Promise<boolean>;
  /** It has ended, in whichever way. */
  ready(): Promise<boolean>;
  successful(): Promise<boolean>;
  /** It is a dead letter, or stands for a workflow that has failed. */
  failed(): Promise<boolean>;
  /** The jobs of its workflow that follow it and are there; of the job that stands for a workflow those of its parts. */
  children(): Promise<AsyncResult[]>;
  /** The job that called it or that it follows; undefined when it was sent outside a task. */
  parent(): Promise<AsyncResult | undefined>;
  /** The workflow that it stands for or is a step of; undefined for a job of none. */
  workflow(): Promise<WorkflowResult | undefined>;
  /** Of what sending a group gave: the same, by the names that Celery gives. */
  group(): GroupResult<Result extends readonly unknown[] ? Result : readonly unknown[]>;
}

/**
 * A workflow as one thing. Its parts are the members of a group or of the header of a chord, and the steps of a chain; a workflow
 * of one step has that alone. `for await (const part of workflow)` gives them as they end, each once.
 *
 * Everything but `get` and `forget` throws UNKNOWN_JOB when nothing is stored of the workflow any more.
 */
export interface WorkflowResult<Result = unknown> extends AsyncIterable<FinishedPart> {
  readonly id: string;
  /** All of it, as it is now: one round trip for each 500 of its jobs. */
  view(): Promise<WorkflowView>;
  state(): Promise<JobState>;
  progress(): Promise<WorkflowProgress>;
  /**
   * Waits for the end and gives the value of the whole: of a chain that of its last step, of a group the list of its members'.
   *
   * @throws TaskFailed with what failed first as its cause, TaskRevoked, ResultTimeout, UNKNOWN_JOB
   */
  get(options?: { timeout?: Duration }): Promise<Result>;
  /** It has ended, in whichever way. */
  ready(): Promise<boolean>;
  successful(): Promise<boolean>;
  failed(): Promise<boolean>;
  /** How many of its parts have succeeded. */
  completedCount(): Promise<number>;
  /** The jobs of its parts that are there: of a member that is a chain, the last one. */
  children(): Promise<AsyncResult[]>;
  /** The job whose task sent it; undefined when it was sent outside a task. */
  parent(): Promise<AsyncResult | undefined>;
  /**
   * Revokes everything of it that has not ended. A step that ignores the signal may lead on after that: its receipt says so.
   *
   * @param options.terminate ends the processes of running steps
   * @param options.timeout how long running steps are waited for. Default 5 s
   * @returns what happened to each job
   */
  cancel(options?: { terminate?: boolean; timeout?: Duration }): Promise<readonly RevokedJob[]>;
  /** Sends every dead letter of it back to work; what had failed because of them waits again. */
  retryFailed(): Promise<RetriedWorkflow>;
  /** Removes its jobs with their results, and its graph, if it has ended. */
  forget(): Promise<boolean>;
}

/** A workflow whose value is a list, by the names that Celery gives. */
export interface GroupResult<Results extends readonly unknown[] = readonly unknown[]> extends WorkflowResult<Results> {
  /** As `get`. */
  join(options?: { timeout?: Duration }): Promise<Results>;
  /** Some of it has not ended. */
  waiting(): Promise<boolean>;
  /** As `cancel`. */
  revoke(options?: { terminate?: boolean; timeout?: Duration }): Promise<readonly RevokedJob[]>;
  /**
   * It is stored already: its id is all that `app.restoreGroup` takes. With a name, that name will do too, for 30 days.
   *
   * @returns what to give to `app.restoreGroup`
   */
  save(name?: string): Promise<string>;
}

/** A part that has ended. */
export type FinishedPart =
  | { readonly index: number; readonly state: 'SUCCESS'; readonly value: unknown }
  | {
      readonly index: number;
      readonly state: 'FAILURE' | 'REVOKED' | 'IGNORED' | 'UNKNOWN';
      /** The job that gave no value: of a chain the step. */
      readonly id: string;
      readonly task: string;
      readonly error: StoredError | null;
      readonly reason: string | null;
    };

export interface RetriedWorkflow {
  /** Ids of the jobs that went back. */
  readonly retried: readonly string[];
  /** Ids of those that had not ended, or were gone, when their turn came. */
  readonly missed: readonly string[];
}

/** A job that another one leads to. */
export interface RelatedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
}

/** What knows the places of jobs in workflows: above what results know. */
export interface Lineage {
  listFollowing(job: StoredJob): Promise<readonly RelatedJob[]>;
  workflowOf(id: string): WorkflowResult;
  groupOf(id: string): GroupResult;
}

export type OpenBroker = () => Promise<Broker>;

/** Revokes one job; how that is done is above what results know. */
export type RevokeJob = (
  id: string,
  options: { readonly queue: string | undefined; readonly terminate: boolean; readonly timeoutMs: number | undefined },
) => Promise<RevokedJob>;
