import type { Broker, BrokerQueue } from '../broker/port.ts';
import { createError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';

/**
 * The queues that were asked for, each once, in the order given. The broker is asked for each of them: the list of all queues may take
 * long, and need not name one that is new (port.ts). One that was never announced is known by its jobs.
 *
 * @throws UNKNOWN_QUEUE with near names for the first that the broker does not hold, before anything is done to the others
 */
export async function resolveQueues(
  broker: Pick<Broker, 'listQueues' | 'queue'>,
  wanted: readonly string[],
): Promise<string[]> {
  const names = [...new Set(wanted)];
  const known = await broker.listQueues({ among: names });
  for (const name of names) {
    if (known.includes(name) || (await holdsJobs(broker.queue(name)))) continue;
    throw createError('UNKNOWN_QUEUE', { queue: name, near: nearestNames(name, await broker.listQueues()) });
  }
  return names;
}

async function holdsJobs(queue: Pick<BrokerQueue, 'counts'>): Promise<boolean> {
  return Object.values(await queue.counts()).some((count) => count > 0);
}
