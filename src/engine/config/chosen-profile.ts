import { createError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';
import type { Environment } from './environment.ts';
import type { ConfigFile } from './load-config.ts';
import { type Profile, profilesPath, readProfiles } from './profiles.ts';

/** The profile of a run. */
export interface ChosenProfile {
  readonly name: string;
  readonly profile: Profile;
  /** How it was chosen: by `--profile`, by `TQ_PROFILE`, or by `tq profile use` some time before. */
  readonly by: 'flag' | 'environment' | 'use';
}

/** Profiles by name: those of the user, and those of the config file that the user has none of that name for. */
export function mergeProfiles(
  own: Readonly<Record<string, Profile>>,
  file: ConfigFile | undefined,
): ReadonlyMap<string, Profile> {
  return new Map([...Object.entries(file?.profiles ?? {}), ...Object.entries(own)]);
}

/**
 * The profile that names the broker of a run, in the order of all settings: `--broker`, `--profile`, `TQ_BROKER_URL`, `TQ_PROFILE`,
 * the variables of Redis, `tq profile use`, the config file. One that a better source makes useless is not looked for.
 *
 * @throws UNKNOWN_PROFILE, PROFILES_UNREADABLE
 */
export function chooseProfile(
  flags: Readonly<Record<string, unknown>>,
  environment: Environment,
  file: ConfigFile | undefined,
): ChosenProfile | undefined {
  if (flags['broker'] !== undefined) return undefined;
  const path = profilesPath(environment.configHome);
  const find = (name: string, by: ChosenProfile['by']): ChosenProfile => {
    const profiles = mergeProfiles(readProfiles(path).profiles, file);
    const profile = profiles.get(name);
    if (profile === undefined) {
      throw createError('UNKNOWN_PROFILE', { profile: name, near: nearestNames(name, profiles.keys()) });
    }
    return { name, profile, by };
  };
  const { profile: asked } = flags;
  if (typeof asked === 'string') return find(asked, 'flag');
  if (environment.settings.has('broker')) return undefined;
  const given = environment.settings.get('profile')?.value;
  if (typeof given === 'string') return find(given, 'environment');
  if (environment.redis !== undefined) return undefined;
  const { current } = readProfiles(path);
  return current === null ? undefined : find(current, 'use');
}
