import { randomUUID } from 'node:crypto';
import type { StateStore } from '../broker/state-port.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { formatStoredEntry, parseStoredEntry } from './stored-entry.ts';

const ENTRIES = 'schedule/entry/';
const CHANGED = 'schedule/changed';

/** The entries that a broker keeps: what is to fire. Whether it does is the matter of job schedulers (broker/schedule-port.ts). */
export class EntryStore {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** @throws ENTRY_UNREADABLE */
  async read(name: string): Promise<ScheduleEntry | undefined> {
    const found = await this.#state.read(ENTRIES + name);
    return found === undefined ? undefined : parseStoredEntry(name, found.value, found.version);
  }

  /**
   * Entries by name.
   *
   * @param after the name that they stand after
   * @returns an error in place of each that cannot be read: one of them keeps nobody from the others
   */
  async list(
    limit?: number,
    after?: string,
  ): Promise<(ScheduleEntry | { readonly name: string; readonly error: Error })[]> {
    const found = await this.#state.list(ENTRIES, limit, after && ENTRIES + after);
    return found.map(({ key, value, version }) => {
      const name = key.slice(ENTRIES.length);
      try {
        return parseStoredEntry(name, value, version);
      } catch (error) {
        return { name, error: error as Error };
      }
    });
  }

  /** The versions of all entries, by name: cheaper than reading them. */
  async listVersions(): Promise<Map<string, string>> {
    const found = await this.#state.list(ENTRIES);
    return new Map(found.map(({ key, version }) => [key.slice(ENTRIES.length), version]));
  }

  size(): Promise<number> {
    return this.#state.size(ENTRIES);
  }

  /**
   * Writes an entry as long as it is what was read, and tells the beats.
   *
   * @param expected the version that was read; null when there was none
   * @param options.isQuiet the caller tells the beats itself, once for many
   * @returns the new version; undefined when somebody else has changed it meanwhile, and nothing was written
   */
  async write(
    entry: Omit<ScheduleEntry, 'version'>,
    expected: string | null,
    { isQuiet = false }: { readonly isQuiet?: boolean } = {},
  ): Promise<string | undefined> {
    const version = await this.#state.write(ENTRIES + entry.name, formatStoredEntry(entry), { expected });
    if (version !== undefined && !isQuiet) await this.announce();
    return version;
  }

  /**
   * @param expected the version that was read; without it, whatever it is, also one that cannot be read
   * @returns whether it was there, and as it was read
   */
  async remove(
    name: string,
    expected?: string,
    { isQuiet = false }: { readonly isQuiet?: boolean } = {},
  ): Promise<boolean> {
    const isRemoved = await this.#state.remove(ENTRIES + name, expected);
    if (isRemoved && !isQuiet) await this.announce();
    return isRemoved;
  }

  /** Another text than before: an entry has changed since. Null when none ever has. */
  async readChange(): Promise<string | null> {
    return (await this.#state.read(CHANGED))?.value ?? null;
  }

  /** Tells the beats that entries have changed. */
  async announce(): Promise<void> {
    await this.#state.write(CHANGED, randomUUID());
  }
}
