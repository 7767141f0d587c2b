import * as v from 'valibot';
import { escapeControl } from '../core/escape.ts';
import type { ChosenProfile } from './chosen-profile.ts';
import type { Environment, Given } from './environment.ts';
import type { ConfigFile } from './load-config.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from './schema.ts';

export interface Origin {
  readonly source: 'flag' | 'environment' | 'file' | 'profile';
  /** As a message names it: `--concurrency`, `TQ_CONCURRENCY`, `tq.config.ts: worker.concurrency`. */
  readonly where: string;
}

/** Options as commander gives them: `--log-level` as `logLevel`, `--no-color` as `color: false`. Others are left alone. */
export type Flags = Readonly<Record<string, unknown>>;

/** A value that passed its check, and where it comes from. */
export type Chosen = Map<SettingName, Origin & { readonly value: unknown }>;

interface Sources {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly file: ConfigFile | undefined;
  /** A better source than the profile wins over it. */
  readonly profile?: ChosenProfile | undefined;
}

/**
 * Checks what every source gives, also where a better source wins, and takes each setting from the first source that
 * gives it well: flag, environment, config file (cli.md).
 */
export function chooseSettings({ flags, environment, file, profile }: Sources): { chosen: Chosen; mistakes: string[] } {
  const fromFlags = readFlags(flags);
  const isNamed = fromFlags.has('broker') || environment.settings.has('broker') || profile !== undefined;
  const redis = isNamed ? undefined : environment.redis;
  const chosen: Chosen = new Map();
  // The variables of Redis belong to others too: their mistakes count only if they name the broker of this run.
  const mistakes = [...(file?.mistakes ?? []), ...(redis?.mistakes ?? [])];
  for (const name of SETTING_NAMES) {
    const candidates = [
      ['flag', fromFlags.get(name)],
      ['profile', profile?.by === 'flag' ? readFromProfile(name, profile) : undefined],
      ['environment', environment.settings.get(name)],
      ['profile', readFromProfile(name, profile)],
      ['environment', name === 'broker' && redis?.mistakes.length === 0 ? redis : undefined],
      ['file', file?.settings.get(name)],
    ] as const;
    for (const [source, given] of candidates) {
      if (given === undefined) continue;
      const checked = check(name, given);
      if ('mistake' in checked) mistakes.push(checked.mistake);
      else if (!chosen.has(name)) chosen.set(name, { source, where: given.where, value: checked.value });
    }
  }
  mistakes.push(...checkLimits(chosen));
  // One flag may give a setting of the worker and one of the beat; its mistake is one.
  return { chosen, mistakes: [...new Set(mistakes)] };
}

function readFromProfile(name: SettingName, chosen: ChosenProfile | undefined): Given | undefined {
  if (chosen === undefined || (name !== 'broker' && name !== 'results')) return undefined;
  const value = chosen.profile[name];
  return value === undefined ? undefined : { where: `profile ${chosen.name}`, value };
}

function readFlags(flags: Flags): Map<SettingName, Given> {
  const given = new Map<SettingName, Given>();
  for (const name of SETTING_NAMES) {
    const { flag, kind } = SETTINGS[name];
    if (flag === null) continue;
    const value = name === 'noColor' ? (flags.color === false ? true : undefined) : flags[toProperty(flag)];
    if (value === undefined) continue;
    given.set(name, { where: flag, value: typeof value === 'string' ? kind.fromText(value.trim()) : value });
  }
  return given;
}

/** `--log-level` is `logLevel`. */
function toProperty(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function check(name: SettingName, { where, value }: Given): { value: unknown } | { mistake: string } {
  const result = v.safeParse<v.GenericSchema>(SETTINGS[name].kind.schema, value);
  if (result.success) return { value: result.output };
  if (name === 'alerts') return { mistake: `${where}: ${result.issues[0].message}` };
  return { mistake: `${where} must be ${result.issues[0].message}, got ${showGiven(name, value)}` };
}

const MAX_SHOWN = 80;

function showGiven(name: SettingName, value: unknown): string {
  // Nothing behind the scheme: it may be a password, also one that was put into the wrong variable.
  if (name === 'broker' || name === 'results') {
    const scheme = typeof value === 'string' ? /^(?:sqlite:|[a-z][a-z0-9+.-]*:\/\/)/i.exec(value)?.[0] : undefined;
    return scheme === undefined ? 'a value without a scheme' : `"${scheme}…"`;
  }
  const shown = escapeControl(typeof value === 'function' ? 'a function' : toJson(value));
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return `a ${typeof value} that JSON cannot carry`;
  }
}

/** The two limits may come from different sources; the mistake names both. */
function checkLimits(chosen: Chosen): string[] {
  const soft = chosen.get('worker.softTimeLimit');
  const hard = chosen.get('worker.timeLimit');
  if (soft === undefined || hard === undefined || (soft.value as number) < (hard.value as number)) return [];
  return [`${soft.where} (${soft.value} ms) must be shorter than ${hard.where} (${hard.value} ms)`];
}
