import type { Schedule } from '../../../../src/engine/core/schedule/schedule.ts';
import { parseSchedule, type ScheduleOptions } from '../../../../src/engine/core/schedule/schedule-options.ts';

/** A checked schedule of an entry that the test does not care to name. */
export function made(options: ScheduleOptions): Schedule {
  return parseSchedule(options, 'nightly');
}

/** `2026-03-29T01:00Z`, which is how these tests write instants. */
export function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

/** Epoch ms. */
export function utc(text: string): number {
  return Date.parse(text);
}
