import type { Broker } from '../broker/port.ts';
import type { Duration } from '../core/duration.ts';
import type { StoredError, StoredJob } from '../core/job.ts';
import type { RevokedJob } from '../core/revocation.ts';
import type { JobState } from '../core/state.ts';
import type { WorkflowResult } from './workflow-result.ts';

/** The job behind one call: its state, and its result once there is one. */
export interface AsyncResult<Result = unknown> {
  readonly id: string;
  readonly task: string | undefined;
  readonly queue: string | undefined;
  /** The call stored nothing: a job with the same unique key was there, and this is that job. False for what is no call. */
  readonly isDuplicate: boolean;
  state(): Promise<JobState>;
  /** Everything the broker holds about the job; undefined when it holds nothing. */
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
  /** Removes the job and its result from the broker, if it has finished. */
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
}

export type OpenBroker = () => Promise<Broker>;

/** Revokes one job; how that is done is above what results know. */
export type RevokeJob = (
  id: string,
  options: { readonly queue: string | undefined; readonly terminate: boolean; readonly timeoutMs: number | undefined },
) => Promise<RevokedJob>;
