import type { Overlap } from './entry.ts';

/** What the job of a firing carries in its meta, so that whichever worker takes it can judge it. Durations are milliseconds. */
export interface FiringMark {
  readonly entry: string;
  /** Only of a firing whose id does not say it: one by hand. */
  readonly dueAt?: number;
  /** Not there: allow. */
  readonly overlap?: Exclude<Overlap, 'allow'>;
  /** It does not run when it would start later than this after its due time. Not there: however late. */
  readonly windowMs?: number;
  /** It starts up to this long after its due time (jitter.ts). */
  readonly jitterMs?: number;
  /** It is revoked when it has not started this long after its due time. */
  readonly expiresMs?: number;
}

/** The id of a firing follows from entry and due time, as BullMQ's job schedulers name their jobs: no firing can be two jobs. */
export function formatFiringId(entry: string, dueAt: number): string {
  return `repeat:${entry}:${dueAt}`;
}

/** @returns the due time that the id of a firing says, epoch ms; undefined for the id of another job, or of another entry */
export function parseFiringId(id: string, entry: string): number | undefined {
  const head = `repeat:${entry}:`;
  const text = id.slice(head.length);
  return id.startsWith(head) && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}
