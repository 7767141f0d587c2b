import { formatDuration } from '../duration.ts';
import { nextWallTime } from './cron-calendar.ts';
import type { CronFields } from './cron-fields.ts';
import { listRuns } from './runs.ts';
import type { Schedule } from './schedule.ts';
import { formatLocal } from './schedule-text.ts';
import { type Stretch, stretchAt } from './time-zone.ts';

/** A due time that is ahead, as people read it. */
export interface UpcomingRun {
  /** Epoch ms. */
  readonly at: number;
  /** What the clock of the entry's time zone shows then. */
  readonly local: string;
  /** Of that clock from UTC: `+02:00`. */
  readonly offset: string;
  /** What a change of the clock does to it; null where there is nothing to say. */
  readonly note: string | null;
}

/**
 * The due times after an instant, with what changes of the clock do to them.
 *
 * @param after epoch ms
 * @param runs how often the entry has fired, for `maxRuns`
 */
export function listUpcoming(
  schedule: Schedule,
  { after, count, runs = 0 }: { readonly after: number; readonly count: number; readonly runs?: number },
): UpcomingRun[] {
  const { timezone } = schedule;
  let offset = stretchAt(timezone, after).offset;
  return listRuns(schedule, { after, limit: count, runs }).map((at) => {
    const stretch = stretchAt(timezone, at);
    const notes = [describeChange(stretch.offset - offset), describeOddTime(schedule, stretch, at)];
    offset = stretch.offset;
    const note = notes.filter((one) => one !== '').join('; ');
    return { at, local: formatLocal(at, timezone), offset: formatOffset(offset), note: note === '' ? null : note };
  });
}

/** The offset of a clock from UTC: `+02:00`, `-03:30`. */
export function formatOffset(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const parts = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${offsetMs < 0 ? '-' : '+'}${parts.join(':')}`;
}

function describeChange(ms: number): string {
  if (ms === 0) return '';
  return `the clock has gone ${ms > 0 ? 'forward' : 'back'} by ${formatDuration(Math.abs(ms))}`;
}

/** What is odd about a cron time beside a change of the clock. */
function describeOddTime({ rule, timezone }: Schedule, stretch: Stretch, at: number): string {
  if (rule.kind !== 'cron' && rule.kind !== 'crontab') return '';
  const { fields } = rule;
  const skipped = at === stretch.from ? skippedTime(fields, stretch) : undefined;
  if (skipped !== undefined) return `the clock skips ${timeOf(skipped)}, so it fires after the gap`;
  const wall = at + stretch.offset;
  if (wall < stretch.from + stretch.offsetBefore) return `the second ${timeOf(wall)} of this night`;
  if (!Number.isFinite(stretch.to)) return '';
  const next = stretchAt(timezone, stretch.to);
  if (wall < next.from + next.offset || wall >= next.from + stretch.offset) return '';
  return `the clock shows ${timeOf(wall)} twice, and it fires ${fields.isRepeated ? 'both times' : 'the first time'}`;
}

/** The time in the gap before a stretch that its first instant stands for; undefined when that is due by itself. */
function skippedTime(fields: CronFields, { from, offset, offsetBefore }: Stretch): number | undefined {
  const opens = from + offset;
  const shownUntil = from + offsetBefore;
  if (opens <= shownUntil || nextWallTime(fields, opens - 1) === opens) return undefined;
  const skipped = nextWallTime(fields, shownUntil - 1);
  return skipped !== undefined && skipped < opens ? skipped : undefined;
}

/** `02:30`, with seconds only where there are any. */
function timeOf(wall: number): string {
  return formatLocal(wall, 'UTC').slice(11);
}
