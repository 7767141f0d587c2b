import { formatGiven } from '../given.ts';
import { FIELDS, parseField } from './cron-field.ts';
import { type CronFields, longestMonth } from './cron-fields.ts';
import type { ScheduleFault } from './schedule-fault.ts';

/** A cron expression, read. */
interface CronText {
  /** With single spaces; `@daily` stays as it is. */
  readonly text: string;
  readonly fields: CronFields;
}

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads a cron expression of five fields, or of six with the seconds first.
 *
 * Where day of the month and day of the week are both given, a day fits that fits either, as in crontab(5). Also as there, a field that
 * begins with a star (a star with a step too) does not count as given: then a day must fit both.
 *
 * @throws what `fault` makes, with the field of the expression named
 */
export function parseCronText(given: string, fault: ScheduleFault): CronText {
  const text = given.trim().replace(/\s+/g, ' ');
  const parts = expand(text, fault).split(' ');
  if (parts.length < 5 || parts.length > 6 || text === '') {
    const count = text === '' ? 'no fields' : `${parts.length} ${parts.length === 1 ? 'field' : 'fields'}`;
    throw fault(
      'cron',
      `${formatGiven(given)} has ${count}`,
      'write five: minute, hour, day of month, month, day of week; or six with the second first',
    );
  }
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] =
    parts.length === 6 ? parts : ['0', ...parts];
  const inCron: ScheduleFault = (field, problem, remedy) =>
    fault(`cron.${field}`, problem, remedy ?? `correct the ${field} of "${text}"`);
  const read = (kind: keyof typeof FIELDS, part: string) => parseField(FIELDS[kind], part, 'cron', inCron);
  const days = read('dayOfMonth', dayOfMonth);
  const weekdays = read('dayOfWeek', dayOfWeek);
  const hours = read('hour', hour).numbers;
  const fields: CronFields = {
    seconds: read('second', second).numbers,
    minutes: read('minute', minute).numbers,
    hours,
    days: {
      daysOfMonth: days.numbers,
      isLastDayIncluded: days.isLastDayIncluded,
      weekdays: weekdays.numbers,
      nthWeekdays: weekdays.nthWeekdays,
      isEither: !/^[*?]/.test(dayOfMonth) && !/^[*?]/.test(dayOfWeek),
    },
    months: read('monthOfYear', month).numbers,
    isRepeated: hours.length === 24 || minute.startsWith('*'),
  };
  assertDateExists(fields, inCron);
  return { text, fields };
}

/** @throws what `fault` makes when no month of those given has a day of those given: 31 February */
export function assertDateExists({ days, months }: CronFields, fault: ScheduleFault): void {
  if (days.isLastDayIncluded || days.daysOfMonth.length === 0) return;
  const first = Math.min(...days.daysOfMonth);
  if (months.some((month) => first <= longestMonth(month))) return;
  const names = months.map((month) => nameOfMonth(month)).join(' and ');
  const has = months.length === 1 ? 'has' : 'have';
  throw fault('dayOfMonth', `${names} ${has} no day ${first}`, 'give a day that the month has');
}

function nameOfMonth(month: number): string {
  const name = FIELDS.monthOfYear.names[month - 1] ?? '';
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function expand(text: string, fault: ScheduleFault): string {
  if (!text.startsWith('@')) return text;
  const expression = SHORTHANDS[text.toLowerCase()];
  if (expression !== undefined) return expression;
  throw fault(
    'cron',
    `${formatGiven(text)} is not known`,
    `write ${Object.keys(SHORTHANDS).join(', ')}, or five fields`,
  );
}
