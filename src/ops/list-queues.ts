import { strictObject } from 'valibot';
import type { QueueStatus } from '../engine/broker/port.ts';
import { defineOperation } from './operation.ts';

/** The name under which the dead letters of all queues are shown as one queue (design.md §8). */
export const DEAD_LETTER = 'dead_letter';

export const listQueues = defineOperation({
  name: 'list-queues',
  effect: 'read',
  summary: 'List every queue of the broker, and the dead letters of all of them last',
  input: strictObject({}),
  async run(session): Promise<QueueStatus[]> {
    const broker = await session.broker();
    const now = session.clock.now();
    const queues = await Promise.all((await broker.listQueues()).map((name) => broker.queue(name).status(now)));
    return [...queues, deadLetterStatus(queues)];
  },
  commandLine: () => ['inspect', 'queues'],
});

/**
 * A view, not a store: its letters stay in their queues. They wait for a person, so `waiting` and `dead` are both their
 * number; nothing of it runs, is due or has a consumer, so the other counts are 0 and its age is null.
 */
function deadLetterStatus(queues: readonly QueueStatus[]): QueueStatus {
  const dead = queues.reduce((total, queue) => total + queue.dead, 0);
  return {
    queue: DEAD_LETTER,
    waiting: dead,
    active: 0,
    scheduled: 0,
    blocked: 0,
    dead,
    completed: 0,
    paused: false,
    consumers: 0,
    oldestWaitingMs: null,
  };
}
