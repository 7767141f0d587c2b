import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { AutoscaleBounds } from './autoscale/decision.ts';

/** A worker with more is a mistake in the number more often than a wish. */
const MAX_SLOTS = 10_000;

/** @throws INVALID_OPTION */
export function assertSlots(count: unknown, what: string): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= MAX_SLOTS) return count;
  throw createError('INVALID_OPTION', {
    what,
    expected: `a whole number from 1 to ${MAX_SLOTS}`,
    given: formatGiven(count),
  });
}

/** @throws INVALID_OPTION */
export function assertBounds({ max, min }: { readonly max: unknown; readonly min: unknown }): AutoscaleBounds {
  const bounds = {
    max: assertSlots(max, 'max of the autoscale of the worker'),
    min: assertSlots(min, 'min of the autoscale of the worker'),
  };
  if (bounds.min <= bounds.max) return bounds;
  throw createError('INVALID_OPTION', {
    what: 'min of the autoscale of the worker',
    expected: `at most its max, ${bounds.max}`,
    given: String(bounds.min),
  });
}
