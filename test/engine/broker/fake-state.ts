import type { StateEntry, StateStore } from '../../../src/engine/broker/state-port.ts';
import { takeInstant } from '../../../src/engine/core/line.ts';

/** The state beyond jobs in memory, by a clock that a test may move. The stores have their own contract. */
export function createFakeState(now: () => number = () => 0): StateStore {
  const entries = new Map<string, { value: string; version: number; endsAt: number }>();
  const leases = new Map<string, { holder: string; endsAt: number }>();
  const counters = new Map<string, { total: number; endsAt: number }>();
  const lines = new Map<string, number>();
  const places = new Map<string, Map<string, number>>();
  let version = 0;

  const live = (key: string) => {
    const entry = entries.get(key);
    return entry !== undefined && entry.endsAt > now() ? entry : undefined;
  };
  const toEntry = (key: string): StateEntry[] => {
    const entry = live(key);
    if (entry === undefined) return [];
    const leftMs = entry.endsAt === Number.POSITIVE_INFINITY ? null : entry.endsAt - now();
    return [{ key, value: entry.value, version: String(entry.version), leftMs }];
  };
  const list = (begin: string): StateEntry[] =>
    [...entries.keys()]
      .filter((key) => key.startsWith(begin))
      .sort()
      .flatMap(toEntry);
  const holders = (key: string): Map<string, number> => {
    const held = new Map([...(places.get(key) ?? [])].filter(([, endsAt]) => endsAt > now()));
    places.set(key, held);
    return held;
  };

  return {
    read: async (key) => toEntry(key)[0],
    async write(key, value, { expected, ttlMs = Number.POSITIVE_INFINITY } = {}) {
      const current = live(key)?.version;
      if (expected !== undefined && (current === undefined ? null : String(current)) !== expected) return undefined;
      version += 1;
      entries.set(key, { value, version, endsAt: now() + ttlMs });
      return String(version);
    },
    async remove(key, expected) {
      const entry = live(key);
      if (entry === undefined || (expected !== undefined && String(entry.version) !== expected)) return false;
      return entries.delete(key);
    },
    async removeAll(wanted) {
      const found = wanted.filter(({ key, version: expected }) => {
        const entry = live(key);
        return entry !== undefined && (expected === undefined || String(entry.version) === expected);
      });
      for (const { key } of found) entries.delete(key);
      return found.length;
    },
    list: async (begin, limit, after) =>
      list(begin)
        .filter(({ key }) => after === undefined || key > after)
        .slice(0, limit),
    listBack: async (begin, limit, before) =>
      list(begin)
        .filter(({ key }) => before === undefined || key < before)
        .reverse()
        .slice(0, limit),
    size: async (begin) => list(begin).length,
    async count(key, by, ttlMs) {
      const known = counters.get(key);
      const counter = known !== undefined && known.endsAt > now() ? known : { total: 0, endsAt: now() + ttlMs };
      counter.total += by;
      counters.set(key, counter);
      return { total: counter.total, leftMs: counter.endsAt - now() };
    },
    async lease(key, holder, ttlMs) {
      const held = leases.get(key);
      if (held !== undefined && held.endsAt > now() && held.holder !== holder) {
        return { holder: held.holder, leftMs: held.endsAt - now() };
      }
      leases.set(key, { holder, endsAt: now() + ttlMs });
      return { holder, leftMs: ttlMs };
    },
    release: async (key, holder) => leases.get(key)?.holder === holder && leases.delete(key),
    async reserve(key, options) {
      const { taken, waitMs, freeAt } = takeInstant(lines.get(key), now(), options);
      if (taken) lines.set(key, freeAt);
      return { taken, waitMs };
    },
    async occupy(key, holder, { places: total, ttlMs }) {
      const held = holders(key);
      const taken = held.has(holder) || held.size < total;
      if (taken) held.set(holder, now() + ttlMs);
      const leftMs = held.size === 0 ? 0 : Math.min(...held.values()) - now();
      return { taken, free: Math.max(0, total - held.size), leftMs };
    },
    listHolders: async (key) => [...holders(key).keys()],
    vacate: async (key, holder) => holders(key).delete(holder),
  };
}
