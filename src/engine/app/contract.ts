import type { Logger } from 'pino';
import type { Beat } from '../beat/beat.ts';
import type { Broker, QueueOrder } from '../broker/port.ts';
import type { ResultRow, ResultStore } from '../broker/result-store/result-port.ts';
import type { SignatureSender, StepSignature } from '../canvas/signature.ts';
import type { SignatureOptions } from '../canvas/signature-options.ts';
import type { ControlHandler } from '../control/worker-control.ts';
import type { AlertRule, AlertRuleOptions } from '../core/alert-rule.ts';
import type { APP_BRAND } from '../core/brand.ts';
import type { ByteSize } from '../core/byte-size.ts';
import type { Duration } from '../core/duration.ts';
import type { HealthReport } from '../core/health/report.ts';
import type { RetryOptions } from '../core/retry-policy.ts';
import type { JobExplanation } from '../core/why/reason.ts';
import type { WorkflowGraph } from '../core/workflow/graph.ts';
import type { Event } from '../events/event.ts';
import type { Hooks } from '../events/hooks.ts';
import type { AsyncResult, GroupResult, WorkflowResult } from '../results/async-result.ts';
import type { HistoryOptions } from '../results/result-history.ts';
import type { DeclaredEntry } from '../schedule/declared-entry.ts';
import type { EntryOptions } from '../schedule/entry-options.ts';
import type { TaskDefinition } from '../task/definition.ts';
import type { OnDeadLetter } from '../worker/dead-letters/dead-letter.ts';
import type { Worker } from '../worker/worker.ts';
import type { AppControl, AppInspect } from './app-control.ts';
import type { EventOptions } from './app-events.ts';
import type { HealthAsk } from './app-health.ts';
import type { AppSchedules } from './app-schedules.ts';
import type { WhyOptions } from './app-why.ts';
import type { CallOptions } from './call-options.ts';
import type { BeatOptions } from './create-app-beat.ts';
import type { DefineTask, Task } from './task.ts';

/** A queue that an app declares: its name, or its name and what it can do. */
export type QueueDeclaration = string | { readonly name: string; readonly priorities?: boolean };

/** A result store: its URL, or its URL and how it is kept. */
export type ResultsOption =
  | string
  | {
      readonly url?: string;
      /** Results of jobs that ended longer ago are removed. Default none are. */
      readonly maxAge?: Duration;
      /** More results are removed, the oldest first. Default none are. */
      readonly maxCount?: number;
      /** False keeps the arguments of all tasks out of it. Default true. */
      readonly storeArgs?: boolean;
    };

/** Which dead letters of a queue are kept. */
export interface DeadLettersOption {
  /** Those that ended longer ago are removed. Default none are. */
  readonly maxAge?: Duration;
  /** More in a queue are removed, the oldest first. Default none are. */
  readonly maxCount?: number;
}

export interface AppOptions {
  /**
   * Its name among other apps of the broker: 1 to 100 letters, digits, `.`, `_` and `-`. The schedule entries that it declares are its
   * own, and no deploy of another app removes them. Apps without a name are one app to each other.
   */
  name?: string;
  /**
   * The store that jobs live in, see docs/brokers.md. Flags and environment go before it. Default that of tq.config, else the
   * file `.tq/tq.db` beside tq.config, else in the working directory.
   */
  broker?: string;
  /**
   * Where results are stored apart from the broker, so that they outlive it: `postgres://…` or `sqlite:…`, see docs/results.md. Flags
   * and environment go before it. Default that of tq.config, else the broker alone.
   */
  results?: ResultsOption;
  /**
   * The queues of the app, in the order that workers serve them. Default `['default']`, and then any other name may be used
   * too. Declared queues are the only ones: a misspelt name is an error.
   */
  queues?: readonly QueueDeclaration[];
  /** Queue of a call when neither the call, its task nor a route says another. Default `default` if declared, else the first. */
  defaultQueue?: string;
  /** Task name patterns to queues, first match wins: `{ 'email.*': 'high' }`. `*` stands for any characters. */
  routes?: Readonly<Record<string, string>>;
  /** Retry policy of tasks that give none. Default no retries. */
  retry?: RetryOptions | boolean;
  /** How long results are kept. Default 24 h. */
  resultExpires?: Duration;
  /** Largest payload of a call, in bytes of JSON. Default 1 MiB. */
  payloadLimit?: number;
  /** The IANA time zone of schedule entries that name none. Default UTC. */
  timezone?: string;
  /** How often and with which waits a job is put back whose task no worker registers. Default 15 times, 5 s to 1 min. */
  unknownTasks?: Pick<RetryOptions, 'max' | 'delay' | 'maxDelay' | 'backoff' | 'jitter'>;
  /** How often a job is taken up again after its worker was lost. Default 3. */
  maxWorkerLost?: number;
  /** The built-in tasks: false turns them off, an object sets them up (docs/builtin-tasks.md). */
  builtins?: false | Readonly<Record<string, unknown>>;
  hooks?: Hooks;
  /**
   * Is told of every dead letter in the worker process, once it is stored; with the pool `prefork` in the parent. It may take its time
   * and may fail: no job is affected, and a worker that stops waits for it, up to 5 seconds (docs/alerts.md).
   */
  onDeadLetter?: OnDeadLetter;
  /** Which dead letters are kept, in each queue. Default all, for ever (docs/retention.md). */
  deadLetters?: DeadLettersOption;
  /**
   * Who is told of too many dead letters, by webhook or e-mail, at most once a window (docs/alerts.md). Default the `alerts` of
   * tq.config, else nobody.
   */
  alerts?: readonly AlertRuleOptions[];
  /** Control commands of the application, by name: `tq control` and `app.control.call` ask its workers for them. */
  control?: Readonly<Record<string, ControlHandler>>;
}

export interface WorkerOptions {
  /** Queues to serve, in order; `name:weight` for the order `weighted`. Default all queues of the app. */
  queues?: readonly string[];
  excludeQueues?: readonly string[];
  /** Slots. Default the number of CPUs. */
  concurrency?: number;
  /**
   * In place of `concurrency`: begins with `min` slots (default 1), grows up to `max` while all are busy and jobs wait, and
   * shrinks when not all were needed for 30 seconds.
   */
  autoscale?: { readonly max: number; readonly min?: number };
  /**
   * No other live worker of the broker may have it. `%h` stands for the host name, `%p` for the process id, `%n` for the first
   * number that is free. Default `tq@%h`, and `tq2@%h`, `tq3@%h` for further workers of the machine.
   */
  name?: string;
  /** Whether operators can ask it what it does and tell it what to do. Without that, nobody checks its name. Default true. */
  remoteControl?: boolean;
  /** Default strict: the order of `queues`. */
  queueOrder?: QueueOrder;
  /**
   * A worker whose event loop is blocked for less keeps its jobs, and the job of a worker that died runs elsewhere within twice
   * this time. Default 30 s, at least 5 s.
   */
  lockDuration?: Duration;
  /** How long running tasks may go on after a stop was asked for. Default 25 s. */
  shutdownTimeout?: Duration;
  softTimeLimit?: Duration;
  timeLimit?: Duration;
  /** Stop when no job waits any more. */
  burst?: boolean;
  /**
   * How jobs are run: `async` in the event loop of this process, for tasks that wait; `prefork` in child processes, one a slot,
   * for tasks that compute, block or may crash. Default async, because prefork needs `module`, which a program must name;
   * `tq worker`, which knows it, takes prefork.
   */
  pool?: 'async' | 'prefork';
  /**
   * For the pool `prefork`: the module that exports the app, as a path or as the `import.meta.url` of that module. Every child
   * imports it, so it must not start a worker itself. null stands for an app with the built-in tasks alone.
   */
  module?: string | URL | null;
  /** For the pool `prefork`: a child is replaced after so many jobs, give or take those that run until another is ready. */
  maxTasksPerChild?: number;
  /**
   * For the pool `prefork`: a child is replaced when it holds more memory than this after a job: bytes, or a text such as
   * `500MB`. Its resident memory counts, Node's own some 60 MB included.
   */
  maxMemoryPerChild?: ByteSize;
  /**
   * With the pool `async`: when a task blocks the event loop for longer than this, the log says which one, also while it still
   * does. Default 1 s; 0 turns it off.
   */
  blockedAfter?: Duration;
  /** Default one that writes lines of JSON to stdout. */
  logger?: Logger;
}

export interface App extends SignatureSender {
  readonly [APP_BRAND]: true;
  /** Every registered task by name, the built-in ones included. */
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** Names of the declared queues, in order. */
  readonly queues: readonly string[];
  /** What a person who starts a worker should know, one line each: where e-mail goes. */
  readonly notes: readonly string[];
  /** The functions of the application that its workers call. */
  readonly hooks: Hooks;
  /** The URL of its broker; undefined when nothing names one, until its first use takes that of tq.config or the default. May hold a password. */
  readonly brokerUrl: string | undefined;

  /** The URL of its result store; undefined while nothing names one. May hold a password. */
  readonly resultsUrl: string | undefined;

  /** Registers a task. */
  readonly task: DefineTask;
  /** Registers a task that was declared with `defineTask`. */
  register<Args extends readonly unknown[], Result>(
    definition: TaskDefinition<Args, Result>,
    options?: { override?: boolean },
  ): Task<Args, Result>;
  /**
   * Declares schedule entries by name: what fires when (docs/schedules.md). May be called several times; tasks must be registered before.
   * Nothing is stored: `tq beat`, `tq worker --beat` or `app.schedules.reconcile()` do that.
   *
   * @throws INVALID_ENTRY_NAME, INVALID_SCHEDULE with the field named, UNKNOWN_TASK, UNDECLARED_QUEUE, ENTRY_EXISTS for a name that was
   *   declared already, UNKNOWN_OPTION, INVALID_OPTION, INVALID_DURATION, NOT_JSON, PAYLOAD_TOO_LARGE; none of them is declared then
   */
  schedule(entries: Readonly<Record<string, EntryOptions>>): void;
  /** What `schedule` declared, checked, in order. */
  readonly declaredEntries: readonly DeclaredEntry[];
  /** The schedule entries of the broker, whoever made them. */
  readonly schedules: AppSchedules;
  /** The queue that a call of this task goes to when the call names none. */
  queueOf(task: string): string;
  /** Calls a task by name; it need not be registered here. */
  send<Result = unknown>(task: string, args?: readonly unknown[], options?: CallOptions): Promise<AsyncResult<Result>>;
  /** Calls a task many times: one round trip for each thousand calls. */
  sendBulk<Result = unknown>(
    task: string,
    argsList: readonly (readonly unknown[])[],
    options?: Omit<CallOptions, 'id'>,
  ): Promise<AsyncResult<Result>[]>;
  /**
   * The signature of a task by its name; it need not be registered here. The value of a step before it comes first in its arguments,
   * unless it is immutable.
   *
   * @throws NOT_JSON, INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
   */
  signature<Result = unknown>(
    task: string,
    args?: readonly unknown[],
    options?: SignatureOptions & { immutable?: boolean },
  ): StepSignature<unknown, Result>;
  /**
   * What a signature is as a workflow of this app. Nothing is connected, so that a child process can do it too; arguments are checked
   * as JSON, not by the schemas of their tasks.
   *
   * @throws INVALID_SIGNATURE, INVALID_OPTION, NOT_JSON, PAYLOAD_TOO_LARGE, UNDECLARED_QUEUE
   */
  compileHere(signature: { toJSON(): unknown }): WorkflowGraph;
  /** The result of a job by its id; every queue is searched when `queue` is not given. */
  result<Result = unknown>(id: string, queue?: string): AsyncResult<Result>;
  /**
   * Why a job does not run, or what happened to it (docs/why.md). All reasons that hold are given, the one first that must go first.
   *
   * @throws UNKNOWN_OPTION, INVALID_DURATION, BROKER_UNAVAILABLE
   */
  why(id: string, options?: WhyOptions): Promise<JobExplanation>;
  /** A workflow by its id. Nothing is asked of the broker yet. */
  workflow<Result = unknown>(id: string): WorkflowResult<Result>;
  /** A group by its id, or by the name that it was saved under. */
  restoreGroup<Results extends readonly unknown[] = readonly unknown[]>(saved: string): Promise<GroupResult<Results>>;
  /**
   * Builds a worker of this app; `worker.start()` begins.
   *
   * @throws WORKER_IN_CHILD in a child process of a worker, WORKER_NAME_TAKEN, INVALID_OPTION and what else is wrong with the
   *   options
   */
  createWorker(options?: WorkerOptions): Promise<Worker>;
  /**
   * A beat, which keeps the schedule entries of the broker firing once it is started (docs/beat.md). Stop it before the app is closed.
   *
   * @throws INVALID_OPTION, UNKNOWN_OPTION, BROKER_UNAVAILABLE
   */
  createBeat(options?: BeatOptions): Promise<Beat>;
  /** Asks the live workers what they are and what they do. */
  readonly inspect: AppInspect;
  /** Tells the live workers what to do. */
  readonly control: AppControl;
  /**
   * What `health.check` finds, looked at from this process with the limits of `builtins.health`. Never rejects for what it finds: a
   * broker that is away is part of the report (docs/health.md).
   *
   * @throws UNKNOWN_OPTION, INVALID_OPTION, INVALID_DURATION for options that cannot be
   */
  health(options?: HealthAsk): Promise<HealthReport>;
  /**
   * What happens to the jobs of all queues of the broker and to its workers, live: `for await (const event of app.events())`.
   * Nothing of it is paid for while nobody reads.
   *
   * @throws INVALID_QUERY, INVALID_DURATION, INVALID_OPTION for options that cannot be
   */
  events(options?: EventOptions): AsyncGenerator<Event, void, void>;
  /** The connection to the broker, opened on first use and shared. */
  broker(): Promise<Broker>;
  /** Connects to this broker instead of its own option; only before the first use. */
  useBroker(url: string): void;
  /** The result store, opened on first use and shared; undefined when results are kept in the broker alone. */
  resultStore(): Promise<ResultStore | undefined>;
  /** Stores results here instead of its own option; only before the first use. */
  useResults(url: string): void;
  /** Tasks of tq's own that its workers run beside `tasks`, and that nobody calls by name. */
  readonly ownTasks: ReadonlyMap<string, TaskDefinition>;
  /** Takes these alerts in place of its own: those of the worker that a child process belongs to. */
  useAlerts(rules: readonly AlertRule[]): void;
  /**
   * The results that the result store holds, those that ended last first: `for await (const row of app.results({ where }))`. They are
   * read in pages, so any number of them takes little memory.
   *
   * @throws INVALID_QUERY, INVALID_OPTION at the call; RESULTS_OFF when there is no result store
   */
  results(options?: HistoryOptions): AsyncGenerator<ResultRow, void, void>;
  /** Ends the connections. Pending waits of `get()` fail. Workers that were never started are given up; stop those that run first. */
  close(): Promise<void>;
}
