import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isApp } from '../core/brand.ts';
import { nearestNames } from '../core/nearest.ts';
import type { Given } from './environment.ts';
import { findConfig } from './find-config.ts';
import { describeImportFailure } from './import-failure.ts';
import { checkProfiles, type Profile } from './profiles.ts';
import { ONE_RUN_ONLY, SETTING_NAMES, SETTINGS, type SettingName } from './schema.ts';
import { anchorSqliteUrl } from './sqlite-url.ts';

/** What a config file says, not yet checked value by value. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly settings: ReadonlyMap<SettingName, Given>;
  /** The app that it exports, undefined when it exports none. */
  readonly app: unknown;
  /** Those that are right. Brokers are absolute. */
  readonly profiles: Readonly<Record<string, Profile>>;
  /** What is wrong with the file beyond single values: it cannot be imported, settings that do not exist. */
  readonly mistakes: readonly string[];
  /** What was thrown while it was imported. */
  readonly cause?: unknown;
}

/**
 * Finds the config file from `cwd` upwards and imports it. Never throws for what stands in the file: its mistakes are
 * told together with those of the other sources.
 */
export async function loadConfig(cwd: string): Promise<ConfigFile | undefined> {
  const path = await findConfig(cwd);
  if (path === undefined) return undefined;
  const shown = relative(cwd, path);
  try {
    return readConfig(await import(pathToFileURL(path).href), { path, shown });
  } catch (cause) {
    const { reason, next } = describeImportFailure(cause);
    const mistake = `${shown} cannot be imported: ${reason}${next === undefined ? '' : `; ${next}`}`;
    return { path, settings: new Map(), app: undefined, profiles: {}, mistakes: [mistake], cause };
  }
}

/** The file's absolute path, and the name that it has in messages. */
interface Place {
  readonly path: string;
  readonly shown: string;
}

function readConfig(exported: Readonly<Record<string, unknown>>, { path, shown }: Place): ConfigFile {
  const { default: byDefault, app } = exported;
  const mistakes: string[] = [];
  const settings = new Map<SettingName, Given>();
  const profiles: Record<string, Profile> = Object.create(null);
  if (app !== undefined && !isApp(app)) mistakes.push(`${shown}: the export \`app\` must be the value of createApp()`);
  if (byDefault === undefined && app === undefined) {
    mistakes.push(`${shown} exports no settings; write export default defineConfig({ … })`);
  } else if (byDefault !== undefined && !isApp(byDefault)) {
    readSettings(byDefault, { path, shown }, { settings, mistakes, profiles });
  }
  const given = settings.get('app')?.value;
  const apps = [byDefault, app, given].filter(isApp);
  if (typeof given === 'string' && apps.length > 0) {
    mistakes.push(`${shown}: \`app\` names a module and the file exports an app too; keep one of them`);
  }
  if (isApp(given)) settings.delete('app');
  return { path, settings, app: apps[0], profiles, mistakes };
}

interface Found {
  readonly settings: Map<SettingName, Given>;
  readonly mistakes: string[];
  readonly profiles: Record<string, Profile>;
}

function readSettings(exported: unknown, { path, shown }: Place, { settings, mistakes, profiles }: Found): void {
  if (!isSettings(exported)) {
    mistakes.push(`${shown}: the default export must be an object of settings or an app`);
    return;
  }
  const { worker, beat, undo, profiles: named, ...rest } = exported;
  if (named !== undefined) {
    const checked = checkProfiles(named, (mistake) => mistakes.push(`${shown}: ${mistake}`));
    for (const [name, profile] of Object.entries(checked)) profiles[name] = anchorProfile(profile, dirname(path));
  }
  if (undo !== undefined && !isSettings(undo)) mistakes.push(`${shown}: undo must be an object of settings`);
  if (worker !== undefined && !isSettings(worker)) mistakes.push(`${shown}: worker must be an object of settings`);
  if (beat !== undefined && !isSettings(beat)) mistakes.push(`${shown}: beat must be an object of settings`);
  const entries = [
    ...Object.entries(rest),
    ...Object.entries(isSettings(worker) ? worker : {}).map(([key, value]) => [`worker.${key}`, value] as const),
    ...Object.entries(isSettings(beat) ? beat : {}).map(([key, value]) => [`beat.${key}`, value] as const),
    ...Object.entries(isSettings(undo) ? undo : {}).map(([key, value]) => [`undo.${key}`, value] as const),
  ];
  for (const [name, value] of entries) {
    if (ONE_RUN_ONLY.includes(name)) {
      mistakes.push(`${shown}: ${name} cannot stand in a file; give it as a flag or as an environment variable`);
    } else if (!isSettingName(name)) {
      mistakes.push(`${shown}: there is no setting ${name}${suggestSetting(name)}`);
    } else if (value !== undefined) {
      settings.set(name, { where: `${shown}: ${name}`, value: fromFolder(name, value, dirname(path)) });
    }
  }
}

function isSettings(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSettingName(name: string): name is SettingName {
  return SETTING_NAMES.some((known) => known === name);
}

/** Also finds a setting of the worker that was written one level too high. */
function suggestSetting(name: string): string {
  const inFile = SETTING_NAMES.filter((known) => !ONE_RUN_ONLY.includes(known));
  const moved = inFile.filter((known) => known === `worker.${name}` || `worker.${known}` === name);
  const [near] = [...moved, ...nearestNames(name, inFile)];
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** Paths in a file are relative to its folder, wherever tq is started. */
function fromFolder(name: SettingName, value: unknown, folder: string): unknown {
  if (typeof value !== 'string') return value;
  if (name === 'broker' || name === 'results') return anchorSqliteUrl(value, folder);
  const isPath = SETTINGS[name].kind.type === 'path';
  return isPath && value.trim() !== '' ? resolve(folder, value) : value;
}

/** A profile that means the same in every working directory. */
export function anchorProfile({ broker, results, ...rest }: Profile, folder: string): Profile {
  return {
    broker: anchorSqliteUrl(broker, folder),
    ...(results !== undefined && { results: anchorSqliteUrl(results, folder) }),
    ...rest,
  };
}
