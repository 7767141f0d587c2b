import { createHash } from 'node:crypto';
import type { Schedule } from './schedule.ts';

/**
 * When a run is to start: its due time and a share of the jitter that follows from the entry and the due time. Any process finds the
 * same one, and two entries that are due together spread out.
 *
 * @param entry its name
 * @param dueAt epoch ms
 * @returns epoch ms, from `dueAt` to `dueAt` + `jitterMs`
 */
export function startOfRun({ jitterMs }: Pick<Schedule, 'jitterMs'>, entry: string, dueAt: number): number {
  if (jitterMs === 0) return dueAt;
  const hash = createHash('sha256').update(`${entry}\n${dueAt}`).digest();
  return dueAt + (hash.readUIntBE(0, 6) % (jitterMs + 1));
}
