import { formatDuration } from '../duration.ts';
import { describeCron } from './cron-words.ts';
import type { Schedule } from './schedule.ts';
import type { SunEvent } from './sun-events.ts';
import { wallTimeOf } from './time-zone.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** When an entry fires, for people, on one line: `every 5 minutes`, `at 03:00 Europe/Berlin, until 2031-05-01 00:00`. */
export function describeSchedule(schedule: Schedule): string {
  const { startAt, endAt, maxRuns, jitterMs, timezone } = schedule;
  return [
    describeRule(schedule),
    startAt === null ? '' : `from ${formatLocal(startAt, timezone)}`,
    endAt === null ? '' : `until ${formatLocal(endAt, timezone)}`,
    maxRuns === null ? '' : maxRuns === 1 ? 'once only' : `${maxRuns} times at most`,
    jitterMs === 0 ? '' : `up to ${formatDuration(jitterMs)} later`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** An instant as the clock of a time zone shows it: `2031-05-01 12:00`, with seconds only where there are any. */
export function formatLocal(at: number, timezone: string): string {
  const text = new Date(wallTimeOf(timezone, at)).toISOString();
  const shown = at % 1000 !== 0 ? 23 : at % 60_000 !== 0 ? 19 : 16;
  return text.slice(0, shown).replace('T', ' ');
}

function describeRule({ rule, timezone }: Schedule): string {
  switch (rule.kind) {
    case 'every':
      return `every ${describeSpan(rule.everyMs)}`;
    case 'at':
      return `once, at ${formatLocal(rule.at, timezone)} ${timezone}`;
    case 'solar':
      return `at ${describeEvent(rule.event)} at ${rule.latitude}, ${rule.longitude}`;
    case 'cron':
    case 'crontab':
      return `${describeCron(rule.fields)} ${timezone}`;
  }
}

/** `sunset`, `solar noon`, `civil dawn`. */
function describeEvent(event: SunEvent): string {
  const words = event.split('_');
  return (event === 'solar_noon' ? words : words.toReversed()).join(' ');
}

/** `5 minutes`, `hour`, `90 minutes`: in the largest unit that fits without a rest. */
function describeSpan(ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => ms % one === 0) ?? ['ms', 1];
  const count = ms / size;
  if (unit === 'ms') return `${count} ms`;
  return count === 1 ? unit : `${count} ${unit}s`;
}
