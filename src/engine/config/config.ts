import type { AlertRuleOptions } from '../core/alert-rule.ts';
import type { Duration } from '../core/duration.ts';
import type { LogLevel } from '../runtime/log-level.ts';

/** What a config file may export as default. Paths are relative to the folder of the file. */
export interface Config {
  /** The module that exports the app, or the app itself. */
  app?: string | object;
  /** The store that jobs live in, for example `redis://localhost:6379`. Default `sqlite:.tq/tq.db`. */
  broker?: string;
  /** Where results are stored apart from the broker, for example `postgres://localhost/jobs`. Default the broker alone. */
  results?: string;
  json?: boolean;
  quiet?: boolean;
  noColor?: boolean;
  logLevel?: LogLevel;
  /** How long a command waits for workers and results. */
  timeout?: Duration;
  /** Fields of log lines whose values are hidden: `password`, `user.email`, `*.token`. */
  redact?: readonly string[];
  /** Who is told of too many dead letters (docs/alerts.md). Those of `createApp()` go first. Default nobody. */
  alerts?: readonly AlertRuleOptions[];
  worker?: WorkerConfig;
  /** Of `tq beat`; name and take also of `tq worker --beat`. */
  beat?: BeatConfig;
  /** Where operations keep what they remove and change. */
  undo?: UndoConfig;
  /** Brokers under names, for `--profile`. */
  profiles?: Readonly<Record<string, ProfileConfig>>;
}

export interface UndoConfig {
  /** Default `$XDG_STATE_HOME/tq/undo`. */
  dir?: string;
  /** Of all undo bundles together; the oldest go first. MiB, or a text such as `4GB`. Default 1 GiB. */
  maxSize?: number | string;
  /** Default 7 days. */
  keep?: Duration;
}

export interface ProfileConfig {
  broker: string;
  results?: string;
  /** Nothing is changed there without `--write`. Default false. */
  protected?: boolean;
}

export interface WorkerConfig {
  /** Slots: how many jobs run at once, over all queues. Default the number of CPUs. */
  concurrency?: number;
  /** The queues to serve, in order. Default all of the app. */
  queues?: readonly string[];
  excludeQueues?: readonly string[];
  /** Where jobs run: `prefork` in child processes, one a slot; `async` in the event loop of the worker. Default `prefork`. */
  pool?: 'prefork' | 'async';
  /** In place of `concurrency`: the number of slots changes by need. `'10,2'` is at most 10 and at least 2; `'10'` at least 1. */
  autoscale?: string | { readonly max: number; readonly min?: number };
  /** For the pool `prefork`: a child process is replaced after so many jobs. */
  maxTasksPerChild?: number;
  /** For the pool `prefork`: a child process is replaced that holds more memory after a job. MiB, or a text such as `500MB`. */
  maxMemoryPerChild?: number | string;
  /** `%h` stands for the host name, `%p` for the process id. Default `tq@%h`. */
  name?: string;
  /** Default `strict`. */
  queueOrder?: 'strict' | 'weighted' | 'fair';
  timeLimit?: Duration;
  /** Shorter than `timeLimit`. */
  softTimeLimit?: Duration;
  /** Default 25 s. */
  shutdownTimeout?: Duration;
  /** Default 30 s, at least 5 s. */
  lockDuration?: Duration;
  /** The log names a task that blocks the event loop for longer. Default 1 s; 0 turns it off. */
  blockedAfter?: Duration;
  /** The port that serves `/healthz` and `/readyz`; 0 takes a free one and logs it. Default none. */
  healthPort?: number;
  /** Default all interfaces. */
  healthHost?: string;
  /** Holds the process id while the worker runs. */
  pidfile?: string;
  /** Restart when source files change. */
  watch?: boolean;
  logfile?: string;
  burst?: boolean;
  /** It keeps the schedule too, as `tq beat` does. */
  beat?: boolean;
}

export interface BeatConfig {
  /** `%h` stands for the host name, `%p` for the process id. Default `beat@%h`; in a worker the name of the worker. */
  name?: string;
  /**
   * Whose entry holds where an operator has changed one that code declares. Default that of the code, but a pause by an operator
   * stays.
   */
  take?: 'code' | 'stored';
  /** The port that serves `/healthz` and `/readyz`; 0 takes a free one and logs it. Default none. */
  healthPort?: number;
  /** Default all interfaces. */
  healthHost?: string;
  /** Holds the process id while the beat runs. */
  pidfile?: string;
  logfile?: string;
}

/** Gives its argument back; it is there so that an editor knows the settings. */
export function defineConfig(config: Config): Config {
  return config;
}
