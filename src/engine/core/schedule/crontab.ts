import { formatGiven } from '../given.ts';
import { assertKnownOptions } from '../known-options.ts';
import { FIELDS, parseField } from './cron-field.ts';
import type { CronFields } from './cron-fields.ts';
import { assertDateExists } from './cron-text.ts';
import type { ScheduleFault } from './schedule-fault.ts';

/** A number, a text such as `mon-fri`, `8-17`, `1,15` or a star with a step, or a list of them. */
export type CrontabValue = number | string | readonly (number | string)[];

/** Celery's `crontab`. What is left out is `*`, the minute too. */
export interface CrontabOptions {
  readonly minute?: CrontabValue;
  readonly hour?: CrontabValue;
  /** 0 to 6 from Sunday, or names. */
  readonly dayOfWeek?: CrontabValue;
  readonly dayOfMonth?: CrontabValue;
  readonly monthOfYear?: CrontabValue;
}

/** A crontab with all its fields. */
export type Crontab = Required<CrontabOptions>;

const KEYS = ['minute', 'hour', 'dayOfWeek', 'dayOfMonth', 'monthOfYear'] as const;

/**
 * The crontab of Celery, for `cron` of an entry: `crontab({ hour: 3, minute: 0 })`.
 *
 * As in Celery a day must fit by its number and by its weekday; the text form takes either (see `parseCronText`). Checked with the entry.
 */
export function crontab(given: CrontabOptions = {}): Crontab {
  return { minute: '*', hour: '*', dayOfWeek: '*', dayOfMonth: '*', monthOfYear: '*', ...given };
}

/**
 * Reads the object form.
 *
 * Two things that Celery takes are refused, since they do not do what they say: a step longer than its range, and a date that no month has.
 *
 * @param entry names the entry, for a key that is not known
 * @throws UNKNOWN_OPTION, and what `fault` makes
 */
export function parseCrontab(
  given: object,
  entry: string,
  fault: ScheduleFault,
): { given: Crontab; fields: CronFields } {
  assertKnownOptions(given, KEYS, `cron of schedule entry "${entry}"`);
  const all = crontab(given);
  const inCron: ScheduleFault = (field, problem, remedy) => fault(`cron.${field}`, problem, remedy);
  const read = (key: (typeof KEYS)[number]) => readValue(key, all[key], inCron);
  const hours = read('hour');
  const fields: CronFields = {
    seconds: [0],
    minutes: read('minute'),
    hours,
    days: {
      daysOfMonth: read('dayOfMonth'),
      isLastDayIncluded: false,
      weekdays: read('dayOfWeek'),
      nthWeekdays: [],
      isEither: false,
    },
    months: read('monthOfYear'),
    isRepeated: hours.length === 24 || String(all.minute).startsWith('*'),
  };
  assertDateExists(fields, inCron);
  return { given: all, fields };
}

function readValue(key: (typeof KEYS)[number], value: unknown, fault: ScheduleFault): readonly number[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.length === 0) throw fault(key, 'the list is empty', 'leave the field out to allow all');
  const texts = items.map((item) => {
    if (typeof item === 'string' || (Number.isInteger(item) && (item as number) >= 0)) return String(item);
    throw fault(key, `${formatGiven(item)} is neither a whole number from 0 nor a text`);
  });
  return parseField(FIELDS[key], texts.join(','), 'crontab', fault).numbers;
}
