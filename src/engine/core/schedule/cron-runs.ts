import { nextWallTime, previousWallTime } from './cron-calendar.ts';
import { type CronFields, isHourly } from './cron-fields.ts';
import { type Stretch, stretchAt } from './time-zone.ts';

/**
 * When the clock of a place shows the times of a cron expression, also on the two days a year that the clock is changed:
 *
 * - A time that the clock skips (02:30, when 02:00 becomes 03:00) fires at the first moment after the gap, once for all times in it.
 *   An entry that fires in every hour does so only if the gap is shorter than an hour; otherwise its next hour is on time anyway.
 * - A time that the clock shows twice (02:30, when 03:00 becomes 02:00) fires the first time. An entry that fires in every hour, or
 *   whose minute is written with `*`, fires both times: it would be silent for an hour otherwise.
 *
 * This is what cron(8) does, except that cron lets a skipped time of a `*` minute go. It depends on the instant alone, so that two
 * processes that ask from different moments find the same runs.
 */

const HOUR_MS = 3_600_000;
/** No run is looked for before. */
const EARLIEST = Date.UTC(1900, 0, 1);

/** The first run after an instant, in epoch ms; undefined if there is none, ever. */
export function nextCronRun(fields: CronFields, zone: string, after: number): number | undefined {
  let stretch = stretchAt(zone, after);
  let wall = nextWallTime(fields, after + stretch.offset);
  while (wall !== undefined) {
    const shownUntil = stretch.from + stretch.offsetBefore;
    if (wall < shownUntil && !fields.isRepeated) {
      wall = nextWallTime(fields, shownUntil - 1);
      continue;
    }
    if (wall - stretch.offset < stretch.to) return wall - stretch.offset;
    const next = stretchAt(zone, stretch.to);
    const opens = next.from + next.offset;
    if (wall < opens && isCaughtUp(fields, next)) return next.from;
    if (wall < opens || opens < next.from + next.offsetBefore) wall = nextWallTime(fields, opens - 1);
    stretch = next;
  }
  return undefined;
}

/** The last run before an instant; undefined if there is none after 1900. */
export function previousCronRun(fields: CronFields, zone: string, before: number): number | undefined {
  let end = before;
  while (end > EARLIEST) {
    const stretch = stretchAt(zone, end - 1);
    const opens = stretch.from + stretch.offset;
    const shownUntil = stretch.from + stretch.offsetBefore;
    const wall = previousWallTime(fields, end + stretch.offset);
    if (wall === undefined) return undefined;
    if (wall >= opens && (fields.isRepeated || wall >= shownUntil)) return wall - stretch.offset;
    if (shownUntil < opens && isCaughtUp(fields, stretch)) {
      const skipped = nextWallTime(fields, shownUntil - 1);
      if (skipped !== undefined && skipped < opens) return stretch.from;
    }
    end = stretch.from;
  }
  return undefined;
}

/** Whether a time in the gap before a stretch fires at its end. */
function isCaughtUp(fields: CronFields, { offset, offsetBefore }: Stretch): boolean {
  return !isHourly(fields) || offset - offsetBefore < HOUR_MS;
}
