import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';

/** BullMQ builds its keys with colons; the CLI lists queues with commas. */
export function assertQueueName(name: unknown): asserts name is string {
  if (typeof name === 'string' && name.length > 0 && name.length <= 200 && !/[\s:,\p{Cc}]/u.test(name)) return;
  throw createError('INVALID_OPTION', {
    what: 'the name of a queue',
    expected: 'a text of 1 to 200 characters without spaces, colons and commas',
    given: formatGiven(name),
  });
}
