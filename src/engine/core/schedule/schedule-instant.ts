import { formatGiven } from '../given.ts';
import type { ScheduleFault } from './schedule-fault.ts';
import { instantOf } from './time-zone.ts';

/** A date, epoch milliseconds, or an ISO 8601 text; without an offset it is read in the time zone of the entry. */
export type Instant = Date | number | string;

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?)?\s?(Z|[+-]\d\d:?\d\d)?$/i;
/** The end of the year 9999, which is as far as a date of four digits goes. */
const LATEST = Date.UTC(10_000, 0, 1) - 1;

/**
 * @param field names it in an error
 * @param zone what a text without an offset is read in: a time that its clock skips is the end of the gap, one that it shows twice the first
 * @returns epoch ms
 * @throws what `fault` makes for what is no date, 31 February too
 */
export function parseInstant(value: unknown, field: string, zone: string, fault: ScheduleFault): number {
  const at = value instanceof Date ? value.getTime() : typeof value === 'string' ? parseText(value, zone) : value;
  if (typeof at === 'number' && Number.isInteger(at) && at >= 0 && at <= LATEST) return at;
  const given = value instanceof Date ? 'an invalid date' : formatGiven(value);
  throw fault(field, `${given} is no date`, 'give a Date, epoch milliseconds, or a text such as 2031-05-01T12:00');
}

function parseText(text: string, zone: string): number | undefined {
  const match = ISO.exec(text.trim());
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const wall = Date.UTC(year, month - 1, day, hour, minute, second) + Number((match[7] ?? '').padEnd(3, '0'));
  const written = [year, month, day, hour, minute, second].map((part) => String(part).padStart(2, '0'));
  const [date, time] = [written.slice(0, 3).join('-'), written.slice(3).join(':')];
  if (!new Date(wall).toISOString().startsWith(`${date}T${time}`)) return undefined;
  return match[8] === undefined ? instantOf(zone, wall) : wall - parseOffset(match[8]);
}

function parseOffset(text: string): number {
  if (/z/i.test(text)) return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
  return (text.startsWith('-') ? -minutes : minutes) * 60_000;
}
