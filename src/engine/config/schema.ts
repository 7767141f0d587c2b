import { availableParallelism } from 'node:os';
import type { InferOutput } from 'valibot';
import { LOG_LEVELS } from '../runtime/log-level.ts';
import {
  alertsValue,
  autoscaleValue,
  booleanValue,
  choiceValue,
  durationValue,
  memoryValue,
  nameValue,
  pathValue,
  queueNamesValue,
  redactPathsValue,
  resultsUrlValue,
  urlValue,
  type ValueKind,
  weightedQueuesValue,
  wholeNumberValue,
} from './value.ts';

/** One setting: what it may be, and the name that each source knows it by. Its key in the table is its name in a file. */
interface Setting<Kind extends ValueKind = ValueKind> {
  readonly kind: Kind;
  /** As it is typed; null when no flag gives it. */
  readonly flag: string | null;
  /** Its environment variable; null when there is none. */
  readonly variable: string | null;
  readonly about: string;
}

/** Not to be had from a flag or a variable. */
const NO_NAMES = [null, null] as const;

/** Every setting there is. docs/configuration.md shows this table, and a test compares the two. */
export const SETTINGS = {
  profile: setting(nameValue(), ['--profile', 'TQ_PROFILE'], 'the profile that names the broker'),
  app: setting(pathValue(), ['--app', 'TQ_APP'], 'the module that exports the app'),
  broker: setting(urlValue(), ['--broker', 'TQ_BROKER_URL'], 'the store that jobs live in'),
  results: setting(
    resultsUrlValue(),
    ['--results', 'TQ_RESULTS_URL'],
    'the store that results are kept in beside the broker: postgres:// or sqlite:',
  ),
  json: setting(booleanValue(), ['--json', 'TQ_JSON'], 'one JSON document on stdout in place of text'),
  quiet: setting(booleanValue(), ['--quiet', 'TQ_QUIET'], 'no notes and banners, only results and errors'),
  noColor: setting(booleanValue(), ['--no-color', 'TQ_NO_COLOR'], 'no colours, even on a terminal'),
  logLevel: setting(choiceValue(LOG_LEVELS), ['--log-level', 'TQ_LOG_LEVEL'], 'the least level that is logged'),
  timeout: setting(durationValue(1), ['--timeout', 'TQ_TIMEOUT'], 'how long a command waits for workers and results'),
  yes: setting(booleanValue(), ['--yes', 'TQ_YES'], 'destructive commands do not ask'),
  dryRun: setting(booleanValue(), ['--dry-run', 'TQ_DRY_RUN'], 'shows what would be done'),
  write: setting(booleanValue(), ['--write', 'TQ_WRITE'], 'lets a run change something in a protected profile'),
  confirm: setting(nameValue(), ['--confirm', 'TQ_CONFIRM'], 'the name that a protected profile has typed otherwise'),
  'undo.dir': setting(pathValue(), [null, 'TQ_UNDO_DIR'], 'the folder of undo bundles'),
  'undo.maxSize': setting(
    memoryValue(),
    [null, 'TQ_UNDO_MAX'],
    'how much undo bundles may take together; the oldest go first; a number is MiB',
  ),
  'undo.keep': setting(durationValue(60_000), [null, 'TQ_UNDO_KEEP'], 'how long undo bundles are kept'),
  redact: setting(redactPathsValue(), NO_NAMES, 'fields of log lines whose values are hidden'),
  alerts: setting(alertsValue(), NO_NAMES, 'who is told of too many dead letters; those of `createApp()` go first'),
  'worker.concurrency': setting(
    wholeNumberValue(1, 10_000),
    ['--concurrency', 'TQ_CONCURRENCY'],
    'slots: how many jobs run at once, over all queues',
  ),
  'worker.queues': setting(
    weightedQueuesValue(),
    ['--queues', 'TQ_QUEUES'],
    'the queues to serve, in order; `high:6` has the weight 6 under the order weighted',
  ),
  'worker.excludeQueues': setting(queueNamesValue(), ['--exclude-queues', 'TQ_EXCLUDE_QUEUES'], 'queues to leave out'),
  'worker.pool': setting(
    choiceValue(['prefork', 'async']),
    ['--pool', 'TQ_POOL'],
    'where jobs run: in child processes, or in the event loop of the worker',
  ),
  'worker.autoscale': setting(
    autoscaleValue(10_000),
    ['--autoscale', 'TQ_AUTOSCALE'],
    'in place of concurrency: changes the number of slots by need, between MIN (default 1) and MAX',
  ),
  'worker.maxTasksPerChild': setting(
    wholeNumberValue(1, 1_000_000_000),
    ['--max-tasks-per-child', 'TQ_MAX_TASKS_PER_CHILD'],
    'replaces a child process after so many jobs',
  ),
  'worker.maxMemoryPerChild': setting(
    memoryValue(),
    ['--max-memory-per-child', 'TQ_MAX_MEMORY_PER_CHILD'],
    'replaces a child process that holds more memory after a job; a number is MiB',
  ),
  'worker.name': setting(
    nameValue(),
    ['--name', 'TQ_WORKER_NAME'],
    'the name of the worker; `%h` is the host name, `%p` the process id, `%n` the first free number',
  ),
  'worker.queueOrder': setting(
    choiceValue(['strict', 'weighted', 'fair']),
    ['--queue-order', 'TQ_QUEUE_ORDER'],
    'which queue goes first when several have jobs',
  ),
  'worker.timeLimit': setting(durationValue(1), ['--time-limit', 'TQ_TIME_LIMIT'], 'fails an attempt that runs longer'),
  'worker.softTimeLimit': setting(
    durationValue(1),
    ['--soft-time-limit', 'TQ_SOFT_TIME_LIMIT'],
    'aborts the signal of an attempt that runs longer; shorter than the time limit',
  ),
  'worker.shutdownTimeout': setting(
    durationValue(0),
    ['--shutdown-timeout', 'TQ_SHUTDOWN_TIMEOUT'],
    'how long a stopping worker waits for running jobs before it hands them back',
  ),
  'worker.lockDuration': setting(
    durationValue(5000),
    ['--lock-duration', 'TQ_LOCK_DURATION'],
    'how long a blocked worker keeps its jobs; those of one that died run elsewhere within twice this time; 5s or more',
  ),
  'worker.blockedAfter': setting(
    durationValue(0),
    ['--blocked-after', 'TQ_BLOCKED_AFTER'],
    'the log names a task that blocks the event loop for longer; 0s turns it off',
  ),
  'worker.healthPort': setting(
    wholeNumberValue(0, 65_535),
    ['--health-port', 'TQ_HEALTH_PORT'],
    'the port that serves /healthz and /readyz; 0 takes a free one and logs it',
  ),
  'worker.healthHost': setting(
    nameValue(),
    ['--health-host', 'TQ_HEALTH_HOST'],
    'the address that the health port listens on',
  ),
  'worker.pidfile': setting(
    pathValue(),
    ['--pidfile', 'TQ_PIDFILE'],
    'the file that holds the process id of the worker',
  ),
  'worker.watch': setting(
    booleanValue(),
    ['--watch', 'TQ_WATCH'],
    'restarts the worker when source files change, for development',
  ),
  'worker.logfile': setting(pathValue(), ['--logfile', 'TQ_LOGFILE'], 'the file that logs are appended to'),
  'worker.burst': setting(booleanValue(), ['--burst', 'TQ_BURST'], 'the worker exits when its queues are empty'),
  'worker.beat': setting(booleanValue(), ['--beat', 'TQ_BEAT'], 'the worker keeps the schedule too, as `tq beat` does'),
  'beat.name': setting(
    nameValue(),
    ['--name', 'TQ_BEAT_NAME'],
    'the name of the beat; `%h` is the host name, `%p` the process id',
  ),
  'beat.take': setting(
    choiceValue(['code', 'stored']),
    [null, 'TQ_BEAT_TAKE'],
    'whose entry holds where an operator has changed one that code declares: `--take-code`, `--take-stored`',
  ),
  'beat.healthPort': setting(
    wholeNumberValue(0, 65_535),
    ['--health-port', 'TQ_BEAT_HEALTH_PORT'],
    'the port that serves /healthz and /readyz of `tq beat`; 0 takes a free one and logs it',
  ),
  'beat.healthHost': setting(
    nameValue(),
    ['--health-host', 'TQ_BEAT_HEALTH_HOST'],
    'the address that the health port of `tq beat` listens on',
  ),
  'beat.pidfile': setting(
    pathValue(),
    ['--pidfile', 'TQ_BEAT_PIDFILE'],
    'the file that holds the process id of `tq beat`',
  ),
  'beat.logfile': setting(
    pathValue(),
    ['--logfile', 'TQ_BEAT_LOGFILE'],
    'the file that the logs of `tq beat` are appended to',
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type SettingValue<Name extends SettingName> = InferOutput<(typeof SETTINGS)[Name]['kind']['schema']>;

/** Asked for one run; a file must not switch it on for every run of everybody. */
export const ONE_RUN_ONLY: readonly string[] = ['profile', 'yes', 'dryRun', 'write', 'confirm'] satisfies SettingName[];

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

/**
 * What holds when no source gives a setting; a setting that is not here has no value then. 25 s for the shutdown is what
 * Sidekiq takes, and for the same reason: Kubernetes kills 30 s after it asked.
 */
export const DEFAULTS = {
  broker: 'sqlite:.tq/tq.db',
  json: false,
  quiet: false,
  noColor: false,
  logLevel: 'info',
  yes: false,
  dryRun: false,
  write: false,
  'undo.maxSize': 2 ** 30,
  'undo.keep': 7 * 86_400_000,
  redact: [],
  alerts: [],
  'worker.concurrency': availableParallelism(),
  'worker.excludeQueues': [],
  'worker.pool': 'prefork',
  'worker.name': 'tq@%h',
  'worker.queueOrder': 'strict',
  'worker.shutdownTimeout': 25_000,
  'worker.lockDuration': 30_000,
  'worker.blockedAfter': 1000,
  'worker.watch': false,
  'worker.burst': false,
  'worker.beat': false,
  'beat.name': 'beat@%h',
} as const satisfies { readonly [Name in SettingName]?: SettingValue<Name> };

function setting<Kind extends ValueKind>(
  kind: Kind,
  [flag, variable]: readonly [flag: string | null, variable: string] | typeof NO_NAMES,
  about: string,
): Setting<Kind> {
  return { kind, flag, variable, about };
}
