import { dirname, join, resolve } from 'node:path';
import type { AlertRule } from '../core/alert-rule.ts';
import { createError } from '../core/errors.ts';
import type { LogLevel } from '../runtime/log-level.ts';
import { type ChosenProfile, chooseProfile } from './chosen-profile.ts';
import { type Chosen, chooseSettings, type Flags, type Origin } from './chosen-settings.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { type ConfigFile, loadConfig } from './load-config.ts';
import { DEFAULTS, type SettingName, type SettingValue } from './schema.ts';
import { anchorSqliteUrl } from './sqlite-url.ts';

/** Everything that flags, environment and config file say, checked, with the defaults filled in. */
export interface Settings {
  /** The module of the app; absolute. */
  readonly app: string | undefined;
  /** The app that the config file exports, when neither flag nor variable names another. */
  readonly exportedApp: unknown;
  /** Undefined leaves it to the app's own option, and then to `defaultBroker`. */
  readonly broker: string | undefined;
  /** The broker when nothing names one: a SQLite file below the folder of the config file, else below the working directory. */
  readonly defaultBroker: string;
  /** Undefined leaves it to the app's own option, and then to the broker. */
  readonly results: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Undefined leaves it to whether the output is a terminal. */
  readonly color: boolean | undefined;
  readonly logLevel: LogLevel;
  /** Undefined leaves it to the command. */
  readonly timeoutMs: number | undefined;
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Lets a run change something in a protected profile. */
  readonly write: boolean;
  /** The name that a protected profile has typed otherwise. */
  readonly confirm: string | undefined;
  /** The profile that named the broker; undefined when something else did. */
  readonly profile: UsedProfile | undefined;
  readonly undo: UndoSettings;
  readonly redact: readonly string[];
  /** May hold secrets. */
  readonly alerts: readonly AlertRule[];
  readonly worker: WorkerSettings;
  readonly beat: BeatSettings;
  /** Absolute path of the config file, undefined when there is none. */
  readonly configFile: string | undefined;
  /** What should be told and stops nothing, one line each: variables that look like tq's and are not. */
  readonly warnings: readonly string[];
  /** Where each setting comes from that is not a default. */
  readonly origins: ReadonlyMap<SettingName, Origin>;
}

export interface UsedProfile extends Pick<ChosenProfile, 'name' | 'by'> {
  readonly isProtected: boolean;
}

/** Where undo bundles lie. */
export interface UndoSettings {
  /** Absolute. */
  readonly dir: string;
  readonly maxBytes: number;
  readonly keepMs: number;
}

export interface WorkerSettings {
  readonly concurrency: number;
  /** Undefined means all queues of the app. */
  readonly queues: readonly string[] | undefined;
  readonly excludeQueues: readonly string[];
  readonly pool: 'prefork' | 'async';
  readonly autoscale: { readonly max: number; readonly min: number } | undefined;
  readonly maxTasksPerChild: number | undefined;
  /** In bytes. */
  readonly maxMemoryPerChild: number | undefined;
  /** `%h` and `%p` are not yet replaced. */
  readonly name: string;
  readonly queueOrder: 'strict' | 'weighted' | 'fair';
  readonly timeLimitMs: number | undefined;
  readonly softTimeLimitMs: number | undefined;
  readonly shutdownTimeoutMs: number;
  readonly lockDurationMs: number;
  /** 0 watches for no blocks. */
  readonly blockedAfterMs: number;
  /** Undefined opens no port. */
  readonly healthPort: number | undefined;
  /** Undefined means all interfaces. */
  readonly healthHost: string | undefined;
  /** Absolute. */
  readonly pidfile: string | undefined;
  readonly watch: boolean;
  /** Absolute. */
  readonly logfile: string | undefined;
  readonly burst: boolean;
  /** It runs a beat, too. */
  readonly beat: boolean;
}

export interface BeatSettings {
  /** `%h` and `%p` are not yet replaced. */
  readonly name: string;
  /** Whose word counts for all of an entry that an operator has changed; undefined: code for the entry, the operator for its pause. */
  readonly take: 'code' | 'stored' | undefined;
  /** Undefined opens no port. */
  readonly healthPort: number | undefined;
  /** Undefined means all interfaces. */
  readonly healthHost: string | undefined;
  /** Absolute. */
  readonly pidfile: string | undefined;
  /** Absolute. */
  readonly logfile: string | undefined;
}

/**
 * Reads the settings of one run. Each is taken from the first source that gives it: flag, environment, config file,
 * default (cli.md). Whatever a source gives is checked, also where a better source wins.
 *
 * @param given.env default the environment of the process
 * @param given.cwd where the search for a config file begins; default the working directory
 * @throws INVALID_CONFIG that names every mistake of all sources at once; passwords are masked
 */
export async function loadSettings(
  given: { flags?: Flags; env?: Readonly<Record<string, string | undefined>>; cwd?: string } = {},
): Promise<Settings> {
  const { flags = {}, env, cwd = process.cwd() } = given;
  const environment = readEnvironment(env);
  const file = await loadConfig(cwd);
  const profile = chooseProfile(flags, environment, file);
  const { chosen, mistakes } = chooseSettings({ flags, environment, file, profile });
  assertNoMistakes(mistakes, file);
  return assemble(chosen, { environment, file, profile, cwd });
}

function assertNoMistakes(mistakes: readonly string[], file: ConfigFile | undefined): void {
  if (mistakes.length === 0) return;
  throw createError('INVALID_CONFIG', { source: 'the configuration', mistakes }, file?.cause);
}

interface Surroundings {
  readonly environment: Environment;
  readonly file: ConfigFile | undefined;
  readonly profile: ChosenProfile | undefined;
  readonly cwd: string;
}

function assemble(chosen: Chosen, { environment, file, profile, cwd }: Surroundings): Settings {
  const read = <Name extends SettingName>(name: Name) => chosen.get(name)?.value as SettingValue<Name> | undefined;
  const get = <Name extends keyof typeof DEFAULTS>(name: Name) =>
    (chosen.has(name) ? chosen.get(name)?.value : DEFAULTS[name]) as SettingValue<Name>;
  const path = (text: string | undefined) => (text === undefined ? undefined : resolve(cwd, text));
  return {
    app: path(read('app')),
    exportedApp: chosen.has('app') ? undefined : file?.app,
    broker: read('broker'),
    defaultBroker: anchorSqliteUrl(DEFAULTS.broker, file === undefined ? cwd : dirname(file.path)),
    results: read('results'),
    json: get('json'),
    quiet: get('quiet'),
    color: get('noColor') ? false : environment.forceColor ? true : undefined,
    logLevel: get('logLevel'),
    timeoutMs: read('timeout'),
    yes: get('yes'),
    dryRun: get('dryRun'),
    write: get('write'),
    confirm: read('confirm'),
    profile: profile && { name: profile.name, by: profile.by, isProtected: profile.profile.protected === true },
    undo: {
      dir: path(read('undo.dir')) ?? join(environment.stateHome, 'tq', 'undo'),
      maxBytes: get('undo.maxSize'),
      keepMs: get('undo.keep'),
    },
    redact: get('redact'),
    alerts: get('alerts'),
    worker: {
      concurrency: get('worker.concurrency'),
      queues: read('worker.queues'),
      excludeQueues: get('worker.excludeQueues'),
      pool: get('worker.pool'),
      autoscale: read('worker.autoscale'),
      maxTasksPerChild: read('worker.maxTasksPerChild'),
      maxMemoryPerChild: read('worker.maxMemoryPerChild'),
      name: get('worker.name'),
      queueOrder: get('worker.queueOrder'),
      timeLimitMs: read('worker.timeLimit'),
      softTimeLimitMs: read('worker.softTimeLimit'),
      shutdownTimeoutMs: get('worker.shutdownTimeout'),
      lockDurationMs: get('worker.lockDuration'),
      blockedAfterMs: get('worker.blockedAfter'),
      healthPort: read('worker.healthPort'),
      healthHost: read('worker.healthHost'),
      pidfile: path(read('worker.pidfile')),
      watch: get('worker.watch'),
      logfile: path(read('worker.logfile')),
      burst: get('worker.burst'),
      beat: get('worker.beat'),
    },
    beat: {
      name: get('beat.name'),
      take: read('beat.take'),
      healthPort: read('beat.healthPort'),
      healthHost: read('beat.healthHost'),
      pidfile: path(read('beat.pidfile')),
      logfile: path(read('beat.logfile')),
    },
    configFile: file?.path,
    warnings: environment.warnings,
    origins: new Map([...chosen].map(([name, { source, where }]) => [name, { source, where }])),
  };
}
