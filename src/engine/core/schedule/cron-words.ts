import { FIELDS } from './cron-field.ts';
import type { CronFields, DayRule, NthWeekday } from './cron-fields.ts';

/** More times of day than this are told by their hours and minutes. */
const TIMES_LISTED = 4;
const ORDINALS = ['last', 'first', 'second', 'third', 'fourth', 'fifth'];

/** A cron time in words, for every expression: `at 03:00 on Monday to Friday`, `every 5 minutes`. */
export function describeCron(fields: CronFields): string {
  return [describeTime(fields), describeDays(fields.days), describeMonths(fields.months)]
    .filter((part) => part !== '')
    .join(' ');
}

function describeTime({ hours, minutes, seconds }: CronFields): string {
  const isPlain = seconds.length === 1 && seconds[0] === 0;
  if (hours.length * minutes.length * seconds.length <= TIMES_LISTED) {
    const times = hours.flatMap((hour) =>
      minutes.flatMap((minute) => seconds.map((second) => [hour, minute, ...(isPlain ? [] : [second])])),
    );
    return `at ${listOf(times.map((time) => time.map((part) => String(part).padStart(2, '0')).join(':')))}`;
  }
  const window = describeHours(hours);
  const isEveryMinute = minutes.length === 60;
  const withoutSeconds = describeMinutes(minutes, hours, window);
  if (isPlain) return withoutSeconds;
  const inMinute =
    stepWords(seconds, 60, 'second') ?? `at ${numbers(seconds, 'second')}${isEveryMinute ? ' of every minute' : ''}`;
  return isEveryMinute ? `${inMinute}${window}` : `${inMinute}, ${withoutSeconds}`;
}

/** Empty for all hours. */
function describeHours(hours: readonly number[]): string {
  if (hours.length === 24) return '';
  const step = 24 / hours.length;
  const isEven = hours.length > TIMES_LISTED && hours.every((hour, index) => hour === index * step);
  return isEven ? ` of every ${ORDINALS[step]} hour` : ` from ${spansOf(hours, startOfHour, endOfHour)}`;
}

/** @param window the hours in words; empty for all of them */
function describeMinutes(minutes: readonly number[], hours: readonly number[], window: string): string {
  const minuteSteps = stepWords(minutes, 60, 'minute');
  if (minuteSteps !== undefined) return `${minuteSteps}${window}`;
  const minute = numbers(minutes, 'minute');
  const hourSteps = minutes.length === 1 ? stepWords(hours, 24, 'hour') : undefined;
  if (hourSteps !== undefined) return minutes[0] === 0 ? hourSteps : `${hourSteps} at ${minute}`;
  return `at ${minute}${window === '' ? ' of every hour' : window}`;
}

/** `every 5 minutes` for numbers that are evenly spread from 0 over the next larger unit. */
function stepWords(values: readonly number[], size: number, unit: string): string | undefined {
  const step = size / values.length;
  if (values.length === 1 || !values.every((value, index) => value === index * step)) return undefined;
  return step === 1 ? `every ${unit}` : `every ${step} ${unit}s`;
}

function describeDays(rule: DayRule): string {
  const isAnyNumber = rule.daysOfMonth.length === 31;
  const isAnyWeekday = rule.weekdays.length === 7;
  const byNumber = [
    ...(rule.daysOfMonth.length === 0 ? [] : [numbers(rule.daysOfMonth, 'day')]),
    ...(rule.isLastDayIncluded ? ['the last day'] : []),
  ];
  const byWeekday = [
    ...(rule.weekdays.length === 0 ? [] : [spansOf(rule.weekdays, nameOfWeekday)]),
    ...rule.nthWeekdays.map(describeNth),
  ];
  if (rule.isEither) return `on ${listOf([...byNumber, ...byWeekday], 'or')}`;
  if (isAnyNumber && isAnyWeekday) return '';
  if (isAnyNumber) return `on ${listOf(byWeekday)}`;
  if (isAnyWeekday) return `on ${listOf(byNumber)} of the month`;
  return `on ${listOf(byNumber)} of the month if it is ${listOf(byWeekday, 'or')}`;
}

function describeNth({ weekday, nth }: NthWeekday): string {
  return `the ${ORDINALS[nth]} ${nameOfWeekday(weekday)}`;
}

function describeMonths(months: readonly number[]): string {
  return months.length === 12
    ? ''
    : `in ${spansOf(months, (month) => capitalized(FIELDS.monthOfYear.names[month - 1]))}`;
}

function nameOfWeekday(weekday: number): string {
  return capitalized(FIELDS.dayOfWeek.names[weekday]);
}

function capitalized(name = ''): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function startOfHour(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}

function endOfHour(hour: number): string {
  return `${String(hour).padStart(2, '0')}:59`;
}

/** `minute 5`, `minutes 0, 10 to 20 and 40`. */
function numbers(values: readonly number[], unit: string): string {
  return `${unit}${values.length === 1 ? '' : 's'} ${spansOf(values, String)}`;
}

/** Runs of three or more numbers as a span; where an end of its own is given, also one of a single number. */
function spansOf(
  values: readonly number[],
  first: (value: number) => string,
  last?: (value: number) => string,
): string {
  const spans: { from: number; to: number }[] = [];
  for (const value of values) {
    const span = spans.at(-1);
    if (span !== undefined && value === span.to + 1) span.to = value;
    else spans.push({ from: value, to: value });
  }
  return listOf(
    spans.flatMap(({ from, to }) => {
      if (last !== undefined) return [`${first(from)} to ${last(to)}`];
      if (to - from >= 2) return [`${first(from)} to ${first(to)}`];
      return from === to ? [first(from)] : [first(from), first(to)];
    }),
  );
}

function listOf(words: readonly string[], joint = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${joint} ${words.at(-1)}`;
}
