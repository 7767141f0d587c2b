import { setTimeout as wait } from 'node:timers/promises';
import type { StateStore } from '../../broker/state-port.ts';
import type { Clock } from '../../core/clock.ts';
import { type LineOptions, type LinePlace, takeInstant } from '../../core/line.ts';
import { type Rate, spacingOf } from '../../core/rate.ts';

/**
 * When a job may start whose task has a rate: evenly spaced, one start each `periodMs / count`, as Celery's bucket of
 * capacity 1 does it. Two lines of instants (core/line.ts):
 *
 * - The line: a job that is new takes the next free instant at its end, and is held until then. So a backlog is moved once,
 *   a job a move, and nobody polls.
 * - The gate: a job that starts takes an instant there. Only the gate bounds the rate.
 *
 * A job that comes back to its instant goes to the gate at once: it has the right of way before new ones, which see the end of
 * the line. When the gate is taken, because jobs came late or were let go, it takes a new instant of the line.
 *
 * What that costs: an instant whose job does not come, because its worker was busy, is lost, and the rate stays below its
 * limit. A short wait is waited for in the slot; a job that comes late by no more than the tolerance is made up for, so two
 * starts may be closer than the spacing by that much, never more of them in the long run.
 */
export interface RateGate {
  /**
   * @param returning the job was held before
   * @returns for how long the job is to be held; undefined when it may start now
   */
  pass(returning: boolean): Promise<number | undefined>;
}

/** One of the two lines. */
export interface RateLine {
  reserve(options: LineOptions): Promise<LinePlace> | LinePlace;
}

/** A wait up to this is not worth the move of a job. */
export const SLOT_WAIT_MS = 50;
const TOLERANCE_MS = 100;
/** A job that would have to wait for longer takes no instant; it asks again after this time. */
const LONGEST_HOLD_MS = 30 * 24 * 3_600_000;

export function createRateGate(rate: Rate, { line, gate }: { line: RateLine; gate: RateLine }): RateGate {
  const spacingMs = spacingOf(rate);
  const inLine = { spacingMs, horizonMs: LONGEST_HOLD_MS };
  const atGate = { spacingMs, horizonMs: SLOT_WAIT_MS, toleranceMs: Math.min(TOLERANCE_MS, spacingMs / 2) };
  const takeInLine = async (): Promise<number> => {
    const place = await line.reserve(inLine);
    return place.taken ? place.waitMs : LONGEST_HOLD_MS;
  };
  return {
    async pass(returning) {
      if (!returning) {
        const waitMs = await takeInLine();
        if (waitMs > SLOT_WAIT_MS) return waitMs;
      }
      const start = await gate.reserve(atGate);
      if (!start.taken) return Math.max(start.waitMs, await takeInLine());
      if (start.waitMs > 0) await wait(start.waitMs);
      return undefined;
    },
  };
}

/** A line of this process. */
export function createLocalLine(clock: Pick<Clock, 'monotonic'>): RateLine {
  let freeAt: number | undefined;
  return {
    reserve(options) {
      const place = takeInstant(freeAt, clock.monotonic(), options);
      freeAt = place.freeAt;
      return place;
    },
  };
}

/** A line that all workers share. */
export function createSharedLine(state: StateStore, key: string): RateLine {
  return { reserve: (options) => state.reserve(key, options) };
}
