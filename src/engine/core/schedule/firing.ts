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

/** What the meta of a job says of its entry when only its id is known: nothing, unless that is the id of a firing. */
export function readMark(id: string): { readonly schedule?: FiringMark } {
  const [, entry] = /^repeat:(.+):\d{1,16}$/.exec(id) ?? [];
  return entry === undefined ? {} : { schedule: { entry } };
}

/**
 * A firing that has not started this long after it was due is overdue: the beat warns of it then, and whoever looks at entries says so.
 * Firings wait for a free slot, so a shorter time would alarm where all is well.
 */
export const OVERDUE_MS = 60_000;

/** What a job is a firing of. */
export interface Firing {
  /** Name of the entry. */
  readonly entry: string;
  /** When it was due, epoch ms. */
  readonly dueAt: number;
}

interface MarkedJob {
  readonly id: string;
  readonly meta: { readonly schedule?: FiringMark; readonly expiresAt?: number };
}

/** @returns undefined for a job that is no firing, or one whose due time neither its mark nor its id says */
export function readFiring({ id, meta: { schedule } }: MarkedJob): Firing | undefined {
  if (schedule === undefined) return undefined;
  const dueAt = schedule.dueAt ?? parseFiringId(id, schedule.entry);
  return dueAt === undefined ? undefined : { entry: schedule.entry, dueAt };
}

/**
 * Until when a job is to start: what its call says, and of a firing what its entry says, counted from its due time.
 *
 * @returns epoch ms, of two the earlier; undefined when it may start at any time
 */
export function readExpiry(job: MarkedJob): number | undefined {
  const { schedule, expiresAt } = job.meta;
  if (schedule?.expiresMs === undefined) return expiresAt;
  const firing = readFiring(job);
  return firing === undefined ? expiresAt : Math.min(firing.dueAt + schedule.expiresMs, expiresAt ?? Infinity);
}
