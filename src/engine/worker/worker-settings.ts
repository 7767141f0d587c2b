import type { Broker, ConsumedQueue, QueueOrder } from '../broker/port.ts';
import type { ResultStore } from '../broker/result-store/result-port.ts';
import type { RevokeReport, RevokeRequest } from '../control/revoke-jobs.ts';
import type { WorkerControl } from '../control/worker-control.ts';
import type { AlertRule } from '../core/alert-rule.ts';
import type { AutoscaleBounds } from './autoscale/decision.ts';
import type { ControlFacts } from './control-view.ts';
import type { OnDeadLetter } from './dead-letters/dead-letter.ts';
import type { DeadLetterLimits } from './dead-letters/dead-letter-retention.ts';
import type { ExecutorOptions } from './executor.ts';
import type { PreforkOptions } from './prefork/prefork-pool.ts';

/** What a worker is made of, checked. Durations are milliseconds unless they say otherwise. */
export interface WorkerSettings extends ExecutorOptions {
  readonly broker: Broker;
  readonly queues: readonly ConsumedQueue[];
  readonly order: QueueOrder;
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly shutdownTimeoutMs: number;
  /** How long results stay in the store, in seconds. */
  readonly keepResultSeconds: number;
  /** Stop by itself when no job waits in any of its queues. Scheduled jobs are not waited for. */
  readonly burst: boolean;
  /** With the pool `async`: a block of the event loop that lasts longer is told in the log, in milliseconds; 0 tells none. */
  readonly blockedAfterMs?: number;
  /** Changes the number of slots by need; `concurrency` is where it begins. */
  readonly autoscale?: AutoscaleBounds;
  /** Reads `high:6`, and refuses what this worker may not serve. Without it every name is a queue of the weight 1. */
  readonly parseQueue?: (text: string) => ConsumedQueue;
  /** Runs jobs in child processes. Without it they run in the event loop of this process. */
  readonly prefork?: PreforkOptions;
  /** Where its results are stored beside the broker. Without it they are in the broker alone. */
  readonly results?: ResultSettings;
  /** What it does about dead letters. */
  readonly deadLetters?: DeadLetterSettings;
  /** Ends a firing that another one of its entry replaces, as `tq control revoke --terminate` does. */
  readonly revoke?: (request: RevokeRequest) => Promise<RevokeReport>;
  /** How operators reach it, under its name. Without it they cannot. */
  readonly control?: Omit<WorkerControl, 'name'> & { readonly facts: ControlFacts };
}

export interface DeadLetterSettings {
  /** Is told of each, once it is stored. */
  readonly onDeadLetter?: OnDeadLetter | undefined;
  /** Which are kept; all without it. */
  readonly keep?: DeadLetterLimits | undefined;
  /** Who is told when there are too many. */
  readonly alerts?: readonly AlertRule[] | undefined;
}

export interface ResultSettings {
  readonly store: ResultStore;
  /** Arguments are stored, unless their task says otherwise. */
  readonly storeArgs: boolean;
  /** Older rows are removed; none are without it. */
  readonly maxAgeMs?: number | undefined;
  /** More rows are removed, the oldest first; none are without it. */
  readonly maxCount?: number | undefined;
}

/** How a worker ended. */
export interface WorkerEnd {
  /** Jobs that were running and went back to their queues. */
  readonly handedBack: number;
  readonly reason: 'stopped' | 'timeout' | 'cold' | 'empty';
}
