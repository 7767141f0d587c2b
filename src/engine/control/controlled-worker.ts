import type { RateChange } from '../core/rate.ts';
import type { TaskDefinition } from '../task/definition.ts';

/**
 * What the control commands need of a worker. They read; what they change is asked for here. Times are epoch milliseconds of
 * the worker's clock, so that an asker on another machine sees the worker's own words.
 */
export interface ControlledWorker {
  readonly name: string;
  readonly queues: readonly string[];
  readonly pool: 'prefork' | 'async';
  /** Slots. */
  readonly concurrency: number;
  readonly startedAt: number;
  /** Of tq. */
  readonly version: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** How long a job of this worker stays locked after its last sign of life. */
  readonly lockDurationMs: number;
  /** What it was started with, as flat names and values without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Jobs whose function runs. */
  listRunning(): readonly RunningJobInfo[];
  /** Jobs that are taken and wait for a slot. */
  listReserved(): readonly ReservedJobInfo[];
  readonly counters: WorkerCounters;
  /** Ids of the processes that run jobs. */
  readonly pids: readonly number[];
  /** Reads at once which tasks are paused. @returns their names */
  reloadPauses(): Promise<readonly string[]>;
  /**
   * Replaces the rate of a task until the worker ends.
   *
   * @returns what lets the jobs go that the old rate held back
   * @throws UNKNOWN_TASK
   */
  setRate(change: RateChange): () => void;
  /** Stops it warm, as the first SIGTERM does. Returns at once. */
  stop(): void;
}

export interface ReservedJobInfo {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** From 1. */
  readonly attempt: number;
}

export interface RunningJobInfo extends ReservedJobInfo {
  readonly startedAt: number;
  readonly requestId: string;
  /** Of the process that runs it. */
  readonly pid: number;
  readonly progress: unknown;
}

/** Attempts since the worker started, by how they ended. */
export interface WorkerCounters {
  readonly succeeded: number;
  readonly retried: number;
  readonly failed: number;
  /** Ignored or revoked. */
  readonly ended: number;
  readonly handedBack: number;
}
