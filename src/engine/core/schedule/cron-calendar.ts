import type { CronFields, DayRule } from './cron-fields.ts';

/**
 * The calendar of a cron time, without time zones: a "wall time" is what clock and calendar on a wall show, written as the epoch
 * milliseconds at which UTC shows the same. `cron-runs.ts` says at which instant a place shows it.
 *
 * This is not left to cron-parser (5.10), of which BullMQ makes use: it knows no day that must fit by number and weekday, no two `#` and
 * no range past the end. In the repeated hour it fires again when asked anew, backwards it finds other times than forwards, at changes of
 * half an hour it leaves out a daily run, and for day 30 of February or April it gives the same time for ever.
 */

const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;
/** The calendar repeats after 400 years: what has not come by then never does. */
const MONTHS_SEARCHED = 400 * 12;

type Direction = 1 | -1;

/** The first wall time after `wall` that the fields allow; undefined if there is none, ever. */
export function nextWallTime(fields: CronFields, wall: number): number | undefined {
  return closestWallTime(fields, Math.floor(wall / 1000) + 1, 1);
}

/** The last wall time before `wall` that the fields allow. */
export function previousWallTime(fields: CronFields, wall: number): number | undefined {
  return closestWallTime(fields, Math.ceil(wall / 1000) - 1, -1);
}

/** @param second the wall time to start from, itself included, in whole seconds */
function closestWallTime(fields: CronFields, second: number, direction: Direction): number | undefined {
  const startDay = Math.floor(second / DAY_SECONDS);
  let day = closestDay(fields, startDay, direction);
  if (day === startDay) {
    const time = closestTimeOfDay(fields, second - day * DAY_SECONDS, direction);
    if (time !== undefined) return day * DAY_MS + time * 1000;
    day = closestDay(fields, day + direction, direction);
  }
  if (day === undefined) return undefined;
  const time = closestTimeOfDay(fields, direction === 1 ? 0 : DAY_SECONDS - 1, direction) ?? 0;
  return day * DAY_MS + time * 1000;
}

/** Seconds since midnight. */
function closestTimeOfDay(fields: CronFields, from: number, direction: Direction): number | undefined {
  const { hours, minutes, seconds } = fields;
  const fromHour = Math.floor(from / 3600);
  const fromMinute = Math.floor((from % 3600) / 60);
  const at = (hour: number, minute: number, second: number): number => hour * 3600 + minute * 60 + second;
  if (hours.includes(fromHour)) {
    if (minutes.includes(fromMinute)) {
      const second = closest(seconds, from % 60, direction);
      if (second !== undefined) return at(fromHour, fromMinute, second);
    }
    const minute = closest(minutes, fromMinute + direction, direction);
    if (minute !== undefined) return at(fromHour, minute, edge(seconds, direction));
  }
  const hour = closest(hours, fromHour + direction, direction);
  return hour === undefined ? undefined : at(hour, edge(minutes, direction), edge(seconds, direction));
}

/** The day that fits, `from` included, in days since the epoch. */
function closestDay(fields: CronFields, from: number, direction: Direction): number | undefined {
  let day = from;
  for (let searched = 0; searched <= MONTHS_SEARCHED; searched += 1) {
    const date = new Date(day * DAY_MS);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    if (fields.months.includes(month + 1)) {
      const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      for (let number = date.getUTCDate(); number >= 1 && number <= length; number += direction) {
        if (isDayAllowed(fields.days, number, weekdayOf(day), length)) return day;
        day += direction;
      }
    }
    day = direction === 1 ? Date.UTC(year, month + 1, 1) / DAY_MS : Date.UTC(year, month, 1) / DAY_MS - 1;
  }
  return undefined;
}

/** @param length of the month, in days */
function isDayAllowed(rule: DayRule, number: number, weekday: number, length: number): boolean {
  const isByNumber = rule.daysOfMonth.includes(number) || (rule.isLastDayIncluded && number === length);
  if (isByNumber === rule.isEither) return isByNumber;
  return (
    rule.weekdays.includes(weekday) ||
    rule.nthWeekdays.some(
      (one) => one.weekday === weekday && (one.nth === 0 ? number > length - 7 : Math.ceil(number / 7) === one.nth),
    )
  );
}

/** The epoch began on a Thursday. */
function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

function closest(values: readonly number[], bound: number, direction: Direction): number | undefined {
  return direction === 1 ? values.find((value) => value >= bound) : values.findLast((value) => value <= bound);
}

function edge(values: readonly number[], direction: Direction): number {
  return values.at(direction === 1 ? 0 : -1) ?? 0;
}
