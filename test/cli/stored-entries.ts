import type { EntryOptions } from '../../src/engine/schedule/entry-options.ts';
import { parseEntry } from '../../src/engine/schedule/entry-options.ts';
import { type AddOptions, Schedules } from '../../src/engine/schedule/schedules.ts';
import { type FakeBroker, NOW } from './fake-broker.ts';

/** Puts schedule entries into the double of a broker, as their engine does. */
export async function storeEntries(
  broker: FakeBroker,
  entries: Readonly<Record<string, EntryOptions>>,
  options: AddOptions = {},
): Promise<Schedules> {
  const schedules = schedulesOf(broker);
  for (const [name, entry] of Object.entries(entries)) {
    broker.store(entry.queue ?? 'default');
    await schedules.add(name, defineEntry(name, entry), { isPaused: entry.enabled === false, ...options });
  }
  return schedules;
}

export function defineEntry(name: string, entry: EntryOptions) {
  return parseEntry(name, entry, {
    resolve: () => ({ queue: 'default', definition: undefined }),
    assertQueue: () => {},
    payloadLimit: Number.POSITIVE_INFINITY,
    longestResultMs: () => Number.POSITIVE_INFINITY,
  });
}

export function schedulesOf(broker: FakeBroker): Schedules {
  return new Schedules({ broker, clock: { now: () => NOW, monotonic: () => 0 } });
}
