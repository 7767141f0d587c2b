/** What a look at the fetching of jobs found. */
export interface FetchLook {
  /** Jobs that the worker has taken since it started. */
  readonly taken: number;
  /** A job waits that this worker should take, and it has a slot for it; unknown when the broker does not say. */
  readonly shouldTake: boolean | 'unknown';
  /** Monotonic milliseconds. */
  readonly at: number;
}

export type FetchNews =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'stuck'; readonly forMs: number }
  | { readonly kind: 'recovered'; readonly forMs: number };

export interface FetchWatch {
  look(look: FetchLook): FetchNews;
}

const NOTHING: FetchNews = { kind: 'nothing' };
/** Two looks can be far apart because the machine slept in between, and meet two different jobs. */
const LEAST_LOOKS = 3;

/**
 * Decides when the fetching of jobs counts as stuck: at every look for `limitMs` there was a job to take and a slot for it,
 * and none was taken. One look that finds it otherwise, or cannot tell, ends the suspicion. What is stuck already stays so
 * until a look shows that it is not. Stuck and recovered are said once each.
 */
export function createFetchWatch(limitMs: number): FetchWatch {
  let suspectSince: number | undefined;
  let looks = 0;
  let isStuck = false;
  let lastTaken = 0;
  return {
    look({ taken, shouldTake, at }) {
      const hasTaken = taken !== lastTaken;
      lastTaken = taken;
      if (shouldTake === 'unknown' && !hasTaken) {
        if (!isStuck) suspectSince = undefined;
        return NOTHING;
      }
      if (!shouldTake || hasTaken) {
        const forMs = at - (suspectSince ?? at);
        suspectSince = undefined;
        if (!isStuck) return NOTHING;
        isStuck = false;
        return { kind: 'recovered', forMs };
      }
      looks = suspectSince === undefined ? 1 : looks + 1;
      suspectSince ??= at;
      const forMs = at - suspectSince;
      if (isStuck || forMs < limitMs || looks < LEAST_LOOKS) return NOTHING;
      isStuck = true;
      return { kind: 'stuck', forMs };
    },
  };
}
