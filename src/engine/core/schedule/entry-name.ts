import { createError } from '../errors.ts';
import { formatGiven } from '../given.ts';

/**
 * The name of an entry is the id of its job scheduler and a part of the ids of its firings, which BullMQ takes apart at colons.
 *
 * @throws INVALID_ENTRY_NAME
 */
export function assertEntryName(name: unknown): asserts name is string {
  if (typeof name === 'string' && /^[A-Za-z0-9._/-]{1,100}$/.test(name)) return;
  throw createError('INVALID_ENTRY_NAME', { given: formatGiven(name) });
}
