import type { Job } from 'bullmq';
import type { JobRef, ListedState, QueueIndex, World } from './world.ts';

/** Names which job an operation is about: the nth of those in a state, or of all that were ever seen in that queue. */
export interface Target {
  readonly queue: QueueIndex;
  readonly state: ListedState | 'any';
  readonly nth: number;
}

/** The job that a target names; undefined when the queue has seen none. A state without jobs falls back to any job. */
export function findTarget(world: World, { queue, state, nth }: Target): JobRef | undefined {
  const listed = state === 'any' ? [] : (world.lists[queue]?.[state] ?? []);
  if (listed.length > 0) return { queue, id: listed[nth % listed.length] as string };
  const all = world.jobs.filter(({ ref }) => ref.queue === queue);
  return all[nth % all.length]?.ref;
}

/** The job as it is stored, or the object of it that was made when it was first seen, for a job that is gone. */
export async function loadJob(world: World, { queue, id }: JobRef): Promise<Job | undefined> {
  const stored = (await world.queues[queue].getJob(id)) as Job | undefined;
  return stored ?? world.jobs.find(({ ref }) => ref.queue === queue && ref.id === id)?.first;
}

/** What an operation gives that finds nothing to act on. */
export const IDLE = '(nothing to act on)';

/** Calls `act` with the job that the target names. */
export async function withTarget(
  world: World,
  target: Target,
  act: (job: Job, ref: JobRef) => Promise<unknown>,
): Promise<unknown> {
  const ref = findTarget(world, target);
  const job = ref && (await loadJob(world, ref));
  return job ? act(job, ref) : IDLE;
}

const keyOf = ({ queue, id }: JobRef): string => `${queue}:${id}`;

/**
 * Notes that `child` is about to get `parent`, unless that would close a ring; BullMQ does not look for rings, and its scripts
 * go round in them until they run out of stack.
 *
 * @returns false when it would close a ring
 */
export function noteParent(world: World, child: JobRef, parent: JobRef): boolean {
  const isAbove = (key: string, seen: Set<string>): boolean => {
    if (key === keyOf(child)) return true;
    if (seen.has(key)) return false;
    seen.add(key);
    return [...(world.parents.get(key) ?? [])].some((above) => isAbove(above, seen));
  };
  if (isAbove(keyOf(parent), new Set())) return false;
  const known = world.parents.get(keyOf(child)) ?? new Set();
  world.parents.set(keyOf(child), known.add(keyOf(parent)));
  return true;
}
