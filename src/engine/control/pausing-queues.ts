import type { Broker } from '../broker/port.ts';
import { resolveQueues } from './known-queues.ts';

/** What became of a queue that was to be paused or resumed. */
export interface QueuePause {
  readonly queue: string;
  readonly paused: boolean;
  /** False when it was so before. */
  readonly changed: boolean;
}

type Queues = Pick<Broker, 'queue' | 'listQueues'>;

/** Whether each of these queues is paused, and how many jobs wait in it; each once. @throws UNKNOWN_QUEUE */
export async function readQueuePauses(
  broker: Queues,
  queues: readonly string[],
  now: number,
): Promise<{ queue: string; paused: boolean; waiting: number }[]> {
  const names = await resolveQueues(broker, queues);
  return await Promise.all(
    names.map(async (queue) => {
      const { paused, waiting } = await broker.queue(queue).status(now);
      return { queue, paused, waiting };
    }),
  );
}

/**
 * Pauses queues, or resumes them. The pause is BullMQ's own: all of its clients obey it.
 *
 * @throws UNKNOWN_QUEUE before any of them is changed, BROKER_UNAVAILABLE
 */
export async function setQueuePauses(
  broker: Queues,
  queues: readonly string[],
  { paused, now }: { readonly paused: boolean; readonly now: number },
): Promise<QueuePause[]> {
  const before = await readQueuePauses(broker, queues, now);
  for (const { queue } of before) await (paused ? broker.queue(queue).pause() : broker.queue(queue).resume());
  return before.map((was) => ({ queue: was.queue, paused, changed: was.paused !== paused }));
}
