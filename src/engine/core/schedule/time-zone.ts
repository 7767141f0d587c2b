import { nearestNames } from '../nearest.ts';
import type { ScheduleFault } from './schedule-fault.ts';

/**
 * The clocks of a time zone, from the zone data of the runtime (`Intl`).
 *
 * What the clock shows is its offset from UTC, and the offset is constant between two changes: such a span is a stretch. Stretches are
 * found year by year, so that one also ends with each year in UTC, with no change of the offset, and kept: finding them takes some
 * fifty questions to `Intl`, asking for them again none.
 */
export interface Stretch {
  /** Its first instant. */
  readonly from: number;
  /** The first instant after it. */
  readonly to: number;
  /** What the clock is ahead of UTC, in ms. */
  readonly offset: number;
  /** The offset before `from`. */
  readonly offsetBefore: number;
}

const UTC: Stretch = { from: -Infinity, to: Infinity, offset: 0, offsetBefore: 0 };
/** Two changes of the clock that cancel out within so many days are not seen; no zone has had such since 1970. */
const STEP_MS = 7 * 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const years = new Map<string, readonly Stretch[]>();

/** @throws what `fault` makes for a name that is no IANA time zone */
export function assertTimeZone(zone: unknown, fault: ScheduleFault): asserts zone is string {
  if (typeof zone === 'string' && /^[A-Za-z]/.test(zone) && isKnown(zone)) return;
  const near = typeof zone === 'string' ? nearestNames(zone, Intl.supportedValuesOf('timeZone')) : [];
  const hint = near.length === 0 ? '' : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
  throw fault(
    'timezone',
    `${JSON.stringify(zone)} is no time zone${hint}`,
    'give an IANA name such as Europe/Berlin or UTC',
  );
}

function isKnown(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** The stretch that an instant lies in. */
export function stretchAt(zone: string, at: number): Stretch {
  if (zone === 'UTC') return UTC;
  const stretches = stretchesOf(zone, new Date(at).getUTCFullYear());
  return stretches.find(({ to }) => to > at) ?? UTC;
}

/**
 * The instant at which the clock of a zone shows a wall time: the first one if it shows it twice, and the end of the gap if it never
 * does.
 */
export function instantOf(zone: string, wall: number): number {
  // No zone is further from UTC than a day.
  let stretch = stretchAt(zone, wall - 86_400_000);
  while (wall - stretch.offset >= stretch.to) stretch = stretchAt(zone, stretch.to);
  return Math.max(wall - stretch.offset, stretch.from);
}

/** What the clock of a zone shows at an instant. */
export function wallTimeOf(zone: string, at: number): number {
  return at + stretchAt(zone, at).offset;
}

function stretchesOf(zone: string, year: number): readonly Stretch[] {
  const key = `${year} ${zone}`;
  const known = years.get(key);
  if (known !== undefined) return known;
  const stretches = findStretches(zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
  years.set(key, stretches);
  return stretches;
}

function findStretches(zone: string, start: number, end: number): Stretch[] {
  const stretches: Stretch[] = [];
  let stretch = { from: start, offset: offsetAt(zone, start), offsetBefore: offsetAt(zone, start - 1000) };
  for (let at = start; at < end; at += STEP_MS) {
    const until = Math.min(at + STEP_MS, end - 1000);
    const offset = offsetAt(zone, until);
    if (offset === stretch.offset) continue;
    const change = findChange(zone, at, until, stretch.offset);
    stretches.push({ ...stretch, to: change });
    stretch = { from: change, offset, offsetBefore: stretch.offset };
  }
  return [...stretches, { ...stretch, to: end }];
}

/** The first whole second with another offset, by halving. */
function findChange(zone: string, from: number, until: number, offset: number): number {
  let [before, after] = [from, until];
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000;
    if (offsetAt(zone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

function offsetAt(zone: string, at: number): number {
  const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] =
    formatOf(zone).format(at).match(/\d+/g)?.map(Number) ?? [];
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const date = { year: 'numeric', month: 'numeric', day: 'numeric' } as const;
  const time = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, ...date, ...time });
  formats.set(zone, format);
  return format;
}
