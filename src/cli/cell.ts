import { formatDuration } from '../engine/core/duration.ts';
import { escapeControl } from '../engine/core/escape.ts';
import { formatProgress } from '../engine/core/progress.ts';
import type { Tone } from './paint.ts';
import type { CellKind } from './presentation.ts';

/** A value for a pipe: complete, dates in ISO 8601, durations in milliseconds, null as nothing, never a tab or a newline. */
export function formatExact(value: unknown, as: CellKind): string {
  if (value === null || value === undefined) return '';
  if (as === 'instant') return new Date(value as number).toISOString();
  if (as === 'lines') return escapeControl((value as readonly string[]).join('\n'));
  if (as === 'json' || as === 'progress') return escapeControl(JSON.stringify(value));
  return escapeControl(String(value));
}

/** A value for a person at a terminal: times relative to now, durations in their largest units. */
export function formatReadable(value: unknown, as: CellKind, now: number): string {
  if (value === null || value === undefined) return '-';
  switch (as) {
    case 'instant':
      return formatInstant(value as number, now);
    case 'duration':
      return formatDuration(value as number);
    case 'progress':
      return escapeControl(formatProgress(value) ?? JSON.stringify(value));
    case 'flag':
      return value === true ? 'yes' : 'no';
    case 'lines':
      return escapeControl((value as readonly string[]).join('\n'), true);
    default:
      return formatExact(value, as);
  }
}

function formatInstant(at: number, now: number): string {
  const span = formatDuration(Math.abs(at - now));
  return at > now ? `in ${span}` : `${span} ago`;
}

export function toneOf(value: unknown, as: CellKind, alarms: boolean): Tone {
  if (value === null || value === undefined) return 'faint';
  if (alarms && (value === true || (typeof value === 'number' && value > 0))) return 'bad';
  return as === 'state' ? (STATE_TONES[String(value)] ?? 'plain') : 'plain';
}

const STATE_TONES: Readonly<Record<string, Tone>> = {
  PENDING: 'waiting',
  SCHEDULED: 'waiting',
  BLOCKED: 'waiting',
  RETRY: 'waiting',
  STARTED: 'busy',
  SUCCESS: 'good',
  FAILURE: 'bad',
  REVOKED: 'bad',
  IGNORED: 'faint',
  UNKNOWN: 'faint',
};
