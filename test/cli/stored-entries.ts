import type { EntryOptions } from '../../src/engine/schedule/entry-options.ts';
import { type AddOptions, Schedules } from '../../src/engine/schedule/schedules.ts';
import { define } from '../support/entry-definitions.ts';
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
    await schedules.add(name, define(entry, name), { isPaused: entry.enabled === false, ...options });
  }
  return schedules;
}

export function schedulesOf(broker: FakeBroker): Schedules {
  return new Schedules({ broker, clock: { now: () => NOW, monotonic: () => 0 } });
}
