import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { safeParse } from 'valibot';
import { createError, messageOf } from '../core/errors.ts';
import { SETTINGS } from './schema.ts';

/** A broker under a name. */
export interface Profile {
  readonly broker: string;
  readonly results?: string;
  /** Nothing is changed there without `--write`. */
  readonly protected?: boolean;
}

/** The profiles of a user. */
export interface StoredProfiles {
  /** The one that is used when nothing else names a broker. */
  readonly current: string | null;
  readonly profiles: Readonly<Record<string, Profile>>;
}

const NONE: StoredProfiles = { current: null, profiles: {} };

/** @param configHome `$XDG_CONFIG_HOME` */
export function profilesPath(configHome: string): string {
  return join(configHome, 'tq', 'profiles.json');
}

/** @throws PROFILES_UNREADABLE */
export function readProfiles(path: string): StoredProfiles {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder that this user may not look into is not theirs.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return NONE;
    throw createError('PROFILES_UNREADABLE', { path, reason: messageOf(error) }, error);
  }
  try {
    return checkStored(JSON.parse(text));
  } catch (error) {
    throw createError('PROFILES_UNREADABLE', { path, reason: messageOf(error) }, error);
  }
}

/**
 * Writes the profiles so that no reader meets half a file; only their user can read them, for a URL may hold a password.
 *
 * @throws PROFILES_UNREADABLE when the file cannot be written
 */
export async function writeProfiles(path: string, profiles: StoredProfiles): Promise<void> {
  const next = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(next, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 });
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true }).catch(() => undefined);
    throw createError('PROFILES_UNREADABLE', { path, reason: messageOf(error) }, error);
  }
}

function checkStored(value: unknown): StoredProfiles {
  if (!isObject(value)) throw new Error('it holds no object');
  const { current = null, profiles } = value;
  if (current !== null && typeof current !== 'string') throw new Error('`current` must be the name of a profile');
  const mistakes: string[] = [];
  const checked = checkProfiles(profiles, (mistake) => mistakes.push(mistake));
  if (mistakes.length > 0) throw new Error(mistakes.join('; '));
  return { current, profiles: checked };
}

/** Profiles as a file gives them: those that are right. */
export function checkProfiles(value: unknown, onMistake: (mistake: string) => void): Record<string, Profile> {
  const checked: Record<string, Profile> = Object.create(null);
  if (!isObject(value)) {
    onMistake('profiles must be an object of profiles');
    return checked;
  }
  for (const [name, given] of Object.entries(value)) {
    const mistake = findMistake(name, given);
    if (mistake === undefined) checked[name] = given as Profile;
    else onMistake(`profiles.${name}${mistake}`);
  }
  return checked;
}

function findMistake(name: string, given: unknown): string | undefined {
  if (!isProfileName(name)) return ' must have a name of letters, digits, dots, dashes and underscores';
  if (!isObject(given)) return ' must be an object such as { broker, protected }';
  const { broker, results, protected: isProtected, ...more } = given;
  if (!safeParse(SETTINGS.broker.kind.schema, broker).success) return '.broker must be the URL of a broker';
  if (results !== undefined && !safeParse(SETTINGS.results.kind.schema, results).success) {
    return '.results must be the URL of a result store';
  }
  if (isProtected !== undefined && typeof isProtected !== 'boolean') return '.protected must be true or false';
  const [unknown] = Object.keys(more);
  return unknown === undefined ? undefined : ` has no setting ${unknown}; it takes broker, results and protected`;
}

export function isProfileName(name: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,99}$/.test(name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
