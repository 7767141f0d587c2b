import type { Broker } from '../broker/port.ts';
import { createError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';

/**
 * The queues that were asked for, each once, in the order given.
 *
 * @throws UNKNOWN_QUEUE with near names for the first that the broker does not hold, before anything is done to the others
 */
export async function resolveQueues(broker: Pick<Broker, 'listQueues'>, wanted: readonly string[]): Promise<string[]> {
  const known = await broker.listQueues();
  const missing = wanted.find((name) => !known.includes(name));
  if (missing !== undefined) {
    throw createError('UNKNOWN_QUEUE', { queue: missing, near: nearestNames(missing, known) });
  }
  return [...new Set(wanted)];
}
