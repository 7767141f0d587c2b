import { createError } from './errors.ts';
import { formatGiven } from './given.ts';

/** How often something may start: `count` times in `periodMs`, evenly spaced. */
export interface Rate {
  readonly count: number;
  readonly periodMs: number;
}

/** A new rate of a task, as its workers are told of it. */
export interface RateChange {
  readonly task: string;
  /** Null for none. */
  readonly rate: Rate | null;
  /** Of the change: with it begins a new line of starts, which the workers that are told of it share. */
  readonly id: string;
  /** All live workers are told: so what a worker held that is gone is let go too. */
  readonly toAll?: boolean;
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const MAX_COUNT = 1_000_000;
/** A month: less often than that is the matter of a schedule. */
const MAX_PERIOD_MS = 31 * 24 * UNIT_MS.h;

/**
 * @param value `100/m`, with a unit of s, m or h, or of several: `100/10s`
 * @param what names the setting in the error
 * @throws INVALID_OPTION
 */
export function parseRate(value: unknown, what: string): Rate {
  const [, count = '', units = '1', unit = 's'] =
    (typeof value === 'string' ? /^\s*(\d{1,7})\s*\/\s*(\d{1,6})?\s*([smh])\s*$/.exec(value) : null) ?? [];
  const rate = { count: Number(count), periodMs: Number(units) * UNIT_MS[unit as keyof typeof UNIT_MS] };
  const isUsable = rate.count >= 1 && rate.count <= MAX_COUNT && rate.periodMs > 0 && rate.periodMs <= MAX_PERIOD_MS;
  if (isUsable) return rate;
  const expected = 'a rate such as 10/s, 100/m, 1000/h or 100/10s, at least one in 31 days';
  throw createError('INVALID_OPTION', { what, expected, given: formatGiven(value) });
}

/** As `parseRate` reads it: `100/m`, `100/10s`. */
export function formatRate({ count, periodMs }: Rate): string {
  const unit = (['h', 'm', 's'] as const).find((name) => periodMs % UNIT_MS[name] === 0) ?? 's';
  const units = periodMs / UNIT_MS[unit];
  return `${count}/${units === 1 ? '' : units}${unit}`;
}

/** The time between two starts, in milliseconds; may be a fraction. */
export function spacingOf({ count, periodMs }: Rate): number {
  return periodMs / count;
}
