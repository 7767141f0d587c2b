/** What a worker answers to each control command: the replies that `tq inspect` and `tq control` show. */

import type { RunningJobInfo, WorkerCounters, WorkerHealth } from './controlled-worker.ts';

export interface ActiveJob extends RunningJobInfo {
  /** For how long it has run by the worker's own clock, so that an asker needs none that agrees with it. */
  readonly runningMs: number;
}

export interface RegisteredTask {
  readonly task: string;
  readonly description: string | null;
  /** Of its calls; null where a route or the app decides. */
  readonly queue: string | null;
  /** Null where the worker decides. */
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
  /** Null where the app decides. */
  readonly retries: number | null;
  /** As `100/m`, in each worker; `100/m global` in all together. Null for no limit. */
  readonly rateLimit: string | null;
  /** Jobs that may run at once, of the task or of each key of it; null for no limit. */
  readonly concurrency: number | null;
  readonly unique: boolean;
  readonly delivery: 'at-least-once' | 'at-most-once';
}

export interface WorkerStats {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  readonly pool: 'prefork' | 'async';
  readonly concurrency: number;
  readonly pids: readonly number[];
  readonly queues: readonly string[];
  readonly startedAt: number;
  readonly uptimeMs: number;
  readonly active: number;
  readonly reserved: number;
  readonly jobs: WorkerCounters;
  readonly health: WorkerHealth;
  /** Of the worker's own process. */
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number };
  /** CPU time of the worker's own process since it started. */
  readonly cpu: { readonly userMs: number; readonly systemMs: number };
}

/** What `tq inspect active` needs beside the running jobs, to tell an orphan from a job that is held. */
export interface HeldJobs {
  readonly active: readonly ActiveJob[];
  readonly reserved: readonly string[];
  readonly queues: readonly string[];
  readonly lockDurationMs: number;
}

export interface ShutdownReceipt {
  readonly stopping: true;
  /** Jobs that run now and may end within the shutdown timeout. */
  readonly active: number;
}

/** What is true after the number of slots was changed. Children may still be starting or ending. */
export interface PoolReply {
  readonly concurrency: number;
}

export interface AutoscaleReply extends PoolReply {
  readonly max: number;
  readonly min: number;
}

export interface ConsumersReply {
  /** Those that are served now, in order. */
  readonly queues: readonly string[];
  /** Whether that is different from before. */
  readonly changed: boolean;
}

export interface TimeLimitReply {
  readonly task: string;
  /** Null where the worker decides. */
  readonly softTimeLimitMs: number | null;
  readonly timeLimitMs: number | null;
}

export interface PauseReceipt {
  /** Tasks that the worker does not start any more. */
  readonly paused: readonly string[];
  /** Those of them that it does not register. */
  readonly unknown: readonly string[];
}

export interface RateReceipt {
  readonly task: string;
  /** As `100/m`; null for no limit. */
  readonly rate: string | null;
}

export const PONG = 'pong';
