import type { Broker, QueueOrder } from '../broker/port.ts';
import type { APP_BRAND } from '../core/brand.ts';
import type { Duration } from '../core/duration.ts';
import type { CallRetryOptions, RetryOptions } from '../core/retry-policy.ts';
import type { AsyncResult } from '../results/async-result.ts';
import type { TaskDefinition } from '../task/definition.ts';

/** A queue that an app declares: its name, or its name and what it can do. */
export type QueueDeclaration = string | { readonly name: string; readonly priorities?: boolean };

export interface AppOptions {
  /** The store that jobs live in; see docs/brokers.md. Flags and environment come before it. */
  broker?: string;
  /** The queues of the app, in the order that workers serve them. Default `['default']`. */
  queues?: readonly QueueDeclaration[];
  /** Queue of a call when neither the call, its task nor a route says another. Default the last of `queues`... see docs. */
  defaultQueue?: string;
  /** Task name patterns to queues, first match wins: `{ 'email.*': 'high' }`. `*` stands for any characters. */
  routes?: Readonly<Record<string, string>>;
  /** Retry policy of tasks that have none. Default no retries. */
  retry?: RetryOptions | boolean;
  /** How long results are kept. Default 24 h. */
  resultExpires?: Duration;
  /** Largest payload of a call in bytes of JSON. Default 1 MiB. */
  payloadLimit?: number;
  /** The built-in tasks: false turns them off, an object sets them up. */
  builtins?: false | Readonly<Record<string, unknown>>;
  hooks?: unknown;
}

/** Options of one call. */
export interface CallOptions {
  queue?: string;
  /** 0 to 9, 9 first. */
  priority?: number;
  /** Starts no earlier than this long from now. */
  countdown?: Duration;
  /** Starts no earlier than this instant: a Date, an ISO 8601 text or epoch milliseconds. */
  eta?: Date | string | number;
  /** Revoked if it has not started within this time, or by this instant. */
  expires?: Duration | Date;
  /** Its id; a call with an id that is stored already does nothing. Default a UUIDv7. */
  id?: string;
  headers?: Readonly<Record<string, string>>;
  requestId?: string;
  softTimeLimit?: Duration;
  timeLimit?: Duration;
  retry?: CallRetryOptions | false;
  resultExpires?: Duration;
  ignoreResult?: boolean;
}

export interface App {
  readonly [APP_BRAND]: true;
  /** Every registered task by name, the built-in ones included. */
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** Names of the declared queues, in order. */
  readonly queues: readonly string[];
  /** The queue that a call of this task goes to. */
  queueOf(task: string): string;
  /** Calls a task by name; it need not be registered here. */
  send(task: string, args?: readonly unknown[], options?: CallOptions): Promise<AsyncResult>;
  /** The result of a job by its id. */
  result(id: string, queue?: string): AsyncResult;
  /** The connection to the broker, opened on first use and shared. */
  broker(): Promise<Broker>;
  close(): Promise<void>;
}

export interface WorkerOptions {
  queues?: readonly string[];
  excludeQueues?: readonly string[];
  concurrency?: number;
  name?: string;
  queueOrder?: QueueOrder;
  lockDuration?: Duration;
  shutdownTimeout?: Duration;
  softTimeLimit?: Duration;
  timeLimit?: Duration;
  burst?: boolean;
}
