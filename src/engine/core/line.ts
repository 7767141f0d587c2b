/**
 * A line of instants that are evenly spaced: how starts are kept apart (the virtual scheduling of GCRA, ITU-T I.371). All that
 * is kept of a line is the next instant that is free; a line that was not used for a while begins anew.
 */

export interface LineOptions {
  /** Between two instants. */
  readonly spacingMs: number;
  /** An instant that is further away is not taken. */
  readonly horizonMs: number;
  /** How much earlier than its instant a caller may come: late ones catch up by as much. Default 0. */
  readonly toleranceMs?: number;
}

/** What came of asking for an instant. */
export interface LinePlace {
  /** False when it lies beyond the horizon: nothing was taken then. */
  readonly taken: boolean;
  /** How long until the instant, never below zero; beyond the horizon, how long until the first that is free. */
  readonly waitMs: number;
}

/**
 * Takes the next free instant.
 *
 * @param freeAt the next instant that is free, undefined for a line that is new
 * @param now in the same milliseconds
 * @returns the place, and the next instant that is free from then on
 */
export function takeInstant(
  freeAt: number | undefined,
  now: number,
  { spacingMs, horizonMs, toleranceMs = 0 }: LineOptions,
): LinePlace & { readonly freeAt: number } {
  const from = Math.max(freeAt ?? now, now);
  const waitMs = Math.max(0, from - toleranceMs - now);
  return waitMs > horizonMs
    ? { taken: false, waitMs, freeAt: from }
    : { taken: true, waitMs, freeAt: from + spacingMs };
}
