import { createError } from './errors.ts';
import { formatGiven } from './given.ts';

/** Milliseconds as a number, or a text: `250ms`, `30s`, `5m`, `2h`, `7d`, also joined as in `1h30m`. */
export type Duration = number | string;

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Ten years. A longer duration is a mistake of units more often than a wish. */
export const MAX_DURATION_MS = 3650 * 86_400_000;

/** The longest wait of a timer of Node, 24.8 days: a longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * @param what names the setting in the error, for example `retry.delay of task "email.send"`
 * @returns milliseconds, a whole number from 0 to ten years
 * @throws INVALID_DURATION for anything else: negative, NaN, unknown unit, absurdly long
 */
export function parseDuration(value: Duration, what: string): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parseText(value) : Number.NaN;
  if (!Number.isFinite(ms) || ms < 0 || ms > MAX_DURATION_MS) {
    throw createError('INVALID_DURATION', { given: formatGiven(value), what });
  }
  return Math.round(ms);
}

function parseText(text: string): number {
  if (!/^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNIT_MS[unit as string] as number);
  }
  return total;
}

/** The largest two units of a span, for people: `850ms`, `12s`, `3m 20s`, `2h 5m`, `4d 1h`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1000) * 1000;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNIT_MS[unit] as number;
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount}${unit}`);
    if (parts.length === 2 || (parts.length > 0 && amount === 0)) break;
  }
  return parts.join(' ');
}
