import type { Rate, RateChange } from '../core/rate.ts';
import type { TaskDefinition } from '../task/definition.ts';
import type { RefusedJob, RevokeOrder, RevokeReceipt } from './revoke-order.ts';

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
  /** As it was given; the locks themselves live longer (lock-timing.ts). */
  readonly lockDurationMs: number;
  /** What it was started with, as flat names and values without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Jobs whose function runs. */
  listRunning(): readonly RunningJobInfo[];
  /** Jobs that are taken and wait for a slot. */
  listReserved(): readonly ReservedJobInfo[];
  /** Ends revoked jobs that it holds, and says what happened to each. */
  revoke(order: RevokeOrder): Promise<readonly RevokeReceipt[]>;
  /** Revoked jobs that it did not run to their end, the latest first. */
  listRevoked(): readonly RefusedJob[];
  readonly counters: WorkerCounters;
  /** As its health port says it. */
  readonly health: WorkerHealth;
  /** Ids of the processes that run jobs. */
  readonly pids: readonly number[];
  /** Between which numbers of slots it changes by itself; undefined when it does not. */
  readonly autoscale: SlotBounds | undefined;
  /** Limits of tasks that were changed since it started, by the names of the tasks. */
  readonly taskLimits: ReadonlyMap<string, ChangedLimits>;
  /** @throws INVALID_OPTION, AUTOSCALE_ON */
  resize(concurrency: number): void;
  /** @throws INVALID_OPTION, AUTOSCALE_OFF */
  setAutoscale(bounds: SlotBounds): void;
  /**
   * @param queue its name, or `name:weight`
   * @returns whether it was not served before
   * @throws UNDECLARED_QUEUE, INVALID_OPTION, BROKER_UNAVAILABLE
   */
  addQueue(queue: string): Promise<boolean>;
  /** Takes no more jobs of it from now on; those that run end in their time. @returns whether it was served */
  removeQueue(name: string): boolean;
  /** @throws UNKNOWN_TASK, INVALID_OPTION */
  setTimeLimits(task: string, limits: ChangedLimits): void;
  /** Rates of tasks that were changed since it started, null where there is none now. */
  readonly taskRates: ReadonlyMap<string, Rate | null>;
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

/** How many slots a worker may have that changes them by need. */
export interface SlotBounds {
  readonly max: number;
  readonly min: number;
}

/** Limits of a task in place of those that it declares; undefined for none. */
export interface ChangedLimits {
  readonly softTimeLimitMs: number | undefined;
  readonly timeLimitMs: number | undefined;
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

export interface WorkerHealth {
  readonly live: boolean;
  readonly ready: boolean;
  /** Why it is not ready, one sentence each. */
  readonly problems: readonly string[];
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
