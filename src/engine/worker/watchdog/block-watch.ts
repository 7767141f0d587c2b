/** What a look at the beats says. Durations are those of the block so far, or of all of it. */
export type BlockNews =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'blocked'; readonly blockedMs: number }
  | { readonly kind: 'ended'; readonly blockedMs: number };

export interface BlockWatch {
  /** Called again and again, `beats` being how many the main thread has counted by `nowMs`. */
  look(beats: number, nowMs: number): BlockNews;
}

const NOTHING: BlockNews = { kind: 'nothing' };

/**
 * Decides when an event loop counts as blocked: no beat for longer than `thresholdMs`. Each block is said once when it is
 * noticed and once when it has ended.
 *
 * A look that itself comes late says that the whole process stood still (SIGSTOP, a machine that slept, no CPU): nobody
 * blocked anything, and the watch begins anew.
 */
export function createBlockWatch(thresholdMs: number): BlockWatch {
  let lastBeats: number | undefined;
  let beatSeenAt = 0;
  let lastLookAt = 0;
  let isBlocked = false;
  return {
    look(beats, nowMs) {
      const slept = nowMs - lastLookAt > thresholdMs;
      lastLookAt = nowMs;
      if (beats !== lastBeats) {
        const blockedMs = nowMs - beatSeenAt;
        lastBeats = beats;
        beatSeenAt = nowMs;
        if (!isBlocked) return NOTHING;
        isBlocked = false;
        return { kind: 'ended', blockedMs };
      }
      if (isBlocked) return NOTHING;
      if (slept) beatSeenAt = nowMs;
      const blockedMs = nowMs - beatSeenAt;
      isBlocked = blockedMs > thresholdMs;
      return isBlocked ? { kind: 'blocked', blockedMs } : NOTHING;
    },
  };
}
