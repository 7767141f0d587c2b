import { mergeProfiles } from '../engine/config/chosen-profile.ts';
import { readEnvironment } from '../engine/config/environment.ts';
import { loadConfig } from '../engine/config/load-config.ts';
import {
  type Profile,
  profilesPath,
  readProfiles,
  type StoredProfiles,
  writeProfiles,
} from '../engine/config/profiles.ts';
import { maskSecrets } from '../engine/config/secret.ts';
import { createError } from '../engine/core/errors.ts';
import { nearestNames } from '../engine/core/nearest.ts';
import type { CliHost } from './host.ts';

/** One profile as `tq profile` shows it. */
export interface ProfileRow {
  readonly name: string;
  /** Masked. */
  readonly broker: string;
  readonly results: string | null;
  readonly protected: boolean;
  /** It is used wherever no other broker is named. */
  readonly current: boolean;
  /** `user` for the file of the user, `file` for the config file of the project. */
  readonly source: 'user' | 'file';
}

/** The profiles of a user, and those of the config file around them. */
export class ProfilesFile {
  readonly #host: CliHost;
  readonly #path: string;

  constructor(host: CliHost) {
    this.#host = host;
    this.#path = profilesPath(readEnvironment(host.env).configHome);
  }

  get path(): string {
    return this.#path;
  }

  /** @throws PROFILES_UNREADABLE */
  async list(): Promise<ProfileRow[]> {
    const { current, profiles } = readProfiles(this.#path);
    return [...(await this.#merge(profiles))]
      .map(
        ([name, { broker, results, protected: isProtected }]): ProfileRow => ({
          ...{ name, broker: maskSecrets(broker), results: results === undefined ? null : maskSecrets(results) },
          ...{ protected: isProtected === true, current: name === current },
          source: Object.hasOwn(profiles, name) ? 'user' : 'file',
        }),
      )
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws UNKNOWN_PROFILE */
  async use(name: string | null): Promise<void> {
    const stored = readProfiles(this.#path);
    const known = await this.#merge(stored.profiles);
    if (name !== null && !known.has(name)) throw unknownProfile(name, [...known.keys()]);
    await this.#write({ ...stored, current: name });
  }

  async add(name: string, profile: Profile): Promise<void> {
    const stored = readProfiles(this.#path);
    await this.#write({ ...stored, profiles: { ...stored.profiles, [name]: profile } });
  }

  /** @throws UNKNOWN_PROFILE for one that is not the user's own */
  async remove(name: string): Promise<void> {
    const { current, profiles } = readProfiles(this.#path);
    if (!Object.hasOwn(profiles, name)) throw unknownProfile(name, Object.keys(profiles));
    const { [name]: _, ...rest } = profiles;
    await this.#write({ current: current === name ? null : current, profiles: rest });
  }

  async #merge(own: StoredProfiles['profiles']): Promise<ReadonlyMap<string, Profile>> {
    return mergeProfiles(own, await loadConfig(this.#host.cwd));
  }

  async #write(profiles: StoredProfiles): Promise<void> {
    await writeProfiles(this.#path, profiles);
  }
}

function unknownProfile(profile: string, known: readonly string[]): Error {
  return createError('UNKNOWN_PROFILE', { profile, near: nearestNames(profile, known) });
}
