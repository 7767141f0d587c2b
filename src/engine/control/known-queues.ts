import type { Broker, BrokerQueue } from '../broker/port.ts';
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

/**
 * The same for queues that most likely are there: one that holds jobs is not looked for among all queues, which takes seconds where a
 * Redis holds a million jobs.
 *
 * @throws UNKNOWN_QUEUE
 */
export async function resolveUsedQueues(
  broker: Pick<Broker, 'listQueues' | 'queue'>,
  wanted: readonly string[],
): Promise<string[]> {
  const used = await Promise.all(wanted.map((name) => holdsJobs(broker.queue(name))));
  return used.every(Boolean) ? [...new Set(wanted)] : await resolveQueues(broker, wanted);
}

async function holdsJobs(queue: Pick<BrokerQueue, 'counts'>): Promise<boolean> {
  return Object.values(await queue.counts()).some((count) => count > 0);
}
