import { strictObject } from 'valibot';
import type { Broker, QueueStatus } from '../engine/broker/port.ts';
import { countHeld, listPausedTaskStatus, type PausedTaskStatus } from './held-jobs.ts';
import { defineOperation } from './operation.ts';

/** A queue as tq counts it: `scheduled` are the jobs that wait for their own time. */
export interface QueueRow extends QueueStatus {
  /** Jobs that a pause or a limit of their task holds back; the broker has them among its delayed ones. */
  readonly held: number;
}

export interface Queues {
  readonly queues: readonly QueueRow[];
  readonly pausedTasks: readonly PausedTaskStatus[];
}

/** The name under which the dead letters of all queues are shown as one queue (design.md §8). */
export const DEAD_LETTER = 'dead_letter';

export const listQueues = defineOperation({
  name: 'list-queues',
  effect: 'read',
  summary: 'List every queue of the broker, and the dead letters of all of them last',
  input: strictObject({}),
  async run(session): Promise<Queues> {
    const broker = await session.broker();
    const now = session.clock.now();
    const names = await broker.listQueues();
    const [queues, pausedTasks] = await Promise.all([
      Promise.all(names.map((name) => readRow(broker, name, now))),
      listPausedTaskStatus(broker, names),
    ]);
    return { queues: [...queues, deadLetterStatus(queues)], pausedTasks };
  },
  commandLine: () => ['inspect', 'queues'],
});

async function readRow(broker: Broker, name: string, now: number): Promise<QueueRow> {
  const [status, counted] = await Promise.all([broker.queue(name).status(now), countHeld(broker, name)]);
  const held = Math.min(counted, status.scheduled);
  const { queue, waiting, active, scheduled, ...rest } = status;
  return { queue, waiting, active, scheduled: scheduled - held, held, ...rest };
}

/**
 * A view, not a store: its letters stay in their queues. They wait for a person, so `waiting` and `dead` are both their
 * number; nothing of it runs, is due or has a consumer, so the other counts are 0 and its age is null.
 */
function deadLetterStatus(queues: readonly QueueRow[]): QueueRow {
  const dead = queues.reduce((total, queue) => total + queue.dead, 0);
  return {
    queue: DEAD_LETTER,
    waiting: dead,
    active: 0,
    scheduled: 0,
    held: 0,
    blocked: 0,
    dead,
    completed: 0,
    paused: false,
    consumers: 0,
    oldestWaitingMs: null,
  };
}
