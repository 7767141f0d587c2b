/**
 * What follows from the lock duration D, the one number that a person chooses (`--lock-duration`).
 *
 * 1. A job keeps its lock while the event loop of its process is blocked for up to D, whenever that begins: the lock lives D and
 *    the longest wait between two renewals, and a twentieth of D more for the way to the store and late timers.
 * 2. A dead worker's job runs elsewhere within 2 D: its lock ends after at most 1.25 D, and the look that finds it so comes
 *    within two of the intervals at which workers look. One, in most cases: workers of a queue keep each other from looking
 *    sooner, and one that comes a moment too early comes again only an interval later.
 *
 * The price is a renewal of all running jobs every D/10 to D/5, one call for each queue of a worker, where BullMQ by itself
 * makes it every D/4 to D/2.
 */
export interface LockTiming {
  /** How long a lock lives without a renewal. */
  readonly lifeMs: number;
  /** The longest wait between two renewals. */
  readonly renewMs: number;
  /** How often a queue is searched for jobs without a lock. */
  readonly lookMs: number;
}

/** @param lockDurationMs D, at least some milliseconds */
export function planLocks(lockDurationMs: number): LockTiming {
  const share = (part: number): number => Math.max(1, Math.round(lockDurationMs * part));
  return { lifeMs: share(1.25), renewMs: share(0.2), lookMs: share(0.25) };
}

/**
 * The latest time from now at which a live worker takes up a job whose own worker is gone: two looks find a job, of which
 * the first one marks it, and the second one comes after its lock has ended.
 *
 * @param lockLeftMs how long its lock still runs, null when it has none
 * @param lockDurationMs the longest one of the workers that serve its queue
 */
export function longestRecoveryMs(lockLeftMs: number | null, lockDurationMs: number): number {
  const betweenLooksMs = 2 * planLocks(lockDurationMs).lookMs;
  return Math.max(lockLeftMs ?? 0, betweenLooksMs) + betweenLooksMs;
}
