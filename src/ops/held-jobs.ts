import type { Broker } from '../engine/broker/port.ts';
import { TqError } from '../engine/core/errors.ts';
import { type HeldBy, heldPrefix, parseHeld } from '../engine/worker/admission/held-index.ts';
import { listPausedTasks, type PausedTask } from '../engine/worker/admission/paused-tasks.ts';

/** A paused task, and how many jobs the workers hold back for it. */
export interface PausedTaskStatus extends PausedTask {
  readonly held: number;
}

/** Jobs of a queue that pauses and limits hold back. Some that have just been let go may still be counted. */
export async function countHeld(broker: Broker, queue: string): Promise<number> {
  return await orNothing(() => broker.state.size(heldPrefix(queue)), 0);
}

/** What holds jobs of a queue back, by their ids. */
export async function readHeldBy(broker: Broker, queue: string): Promise<ReadonlyMap<string, HeldBy>> {
  const entries = await orNothing(() => broker.state.list(heldPrefix(queue)), []);
  return new Map(entries.map(parseHeld).map(({ id, by }) => [id, by]));
}

/** The paused tasks by name, with their held jobs in these queues. */
export async function listPausedTaskStatus(broker: Broker, queues: readonly string[]): Promise<PausedTaskStatus[]> {
  const paused = await orNothing(() => listPausedTasks(broker.state), []);
  return await Promise.all(
    paused.map(async ({ task, since }) => ({ task, since, held: await countPaused(broker, task, queues) })),
  );
}

/** Jobs that are held back because their task is paused, or was until a moment ago. */
export async function countPaused(broker: Broker, task: string, queues: readonly string[]): Promise<number> {
  const counts = await Promise.all(queues.map((queue) => broker.state.size(heldPrefix(queue, task, 'pause'))));
  return counts.reduce((sum, count) => sum + count, 0);
}

const FORGOTTEN_AT_ONCE = 1000;

/**
 * The entries of the jobs that are held back in a queue now.
 *
 * @returns what removes them when their jobs have been removed; those of jobs that are held from now on stay
 */
export async function rememberHeld(broker: Broker, queue: string): Promise<() => Promise<void>> {
  const entries = await orNothing(() => broker.state.list(heldPrefix(queue)), []);
  return async () => {
    for (let from = 0; from < entries.length; from += FORGOTTEN_AT_ONCE) {
      await broker.state.removeAll(entries.slice(from, from + FORGOTTEN_AT_ONCE));
    }
  };
}

/** A store of plain BullMQ may have no place for what tq adds: then nothing is paused and held there. */
async function orNothing<Value>(read: () => Promise<Value>, nothing: Value): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TqError && error.code === 'BROKER_UNSUITABLE') return nothing;
    throw error;
  }
}
