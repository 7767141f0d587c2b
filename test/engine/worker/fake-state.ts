import type { StateEntry, StateStore } from '../../../src/engine/broker/state-port.ts';

/** State in memory, for workers of one process: nothing in it ever ends by itself. */
export function createFakeState(): StateStore {
  const entries = new Map<string, StateEntry>();
  const totals = new Map<string, number>();
  const holders = new Map<string, string>();
  let version = 0;
  return {
    read: async (key) => entries.get(key),
    async write(key, value, { expected, ttlMs } = {}) {
      if (expected !== undefined && (entries.get(key)?.version ?? null) !== expected) return undefined;
      version += 1;
      entries.set(key, { key, value, version: String(version), leftMs: ttlMs ?? null });
      return String(version);
    },
    async remove(key, expected) {
      if (expected !== undefined && entries.get(key)?.version !== expected) return false;
      return entries.delete(key);
    },
    list: async (prefix, limit) =>
      [...entries.values()]
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit),
    async count(key, by, ttlMs) {
      totals.set(key, (totals.get(key) ?? 0) + by);
      return { total: totals.get(key) ?? 0, leftMs: ttlMs };
    },
    async lease(key, holder, ttlMs) {
      if (!holders.has(key)) holders.set(key, holder);
      return { holder: holders.get(key) as string, leftMs: ttlMs };
    },
    async release(key, holder) {
      return holders.get(key) === holder && holders.delete(key);
    },
  };
}
