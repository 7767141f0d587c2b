/** How many slots a worker may have. */
export interface AutoscaleBounds {
  readonly max: number;
  /** At least 1: a worker without slots would not notice that work has come. */
  readonly min: number;
}

/** What the decision is made of. */
export interface Load {
  /** Slots that there are to be now; children may still be starting. */
  readonly slots: number;
  /** Jobs that the worker holds. */
  readonly busy: number;
  /** Jobs that wait in its queues and could be taken; 0 also when nobody looked, because a slot is free. */
  readonly waiting: number;
  /** For how long there was no need of all the slots, in milliseconds. */
  readonly calmMs: number;
}

/** Celery keeps a process for so long without need (its AUTOSCALE_KEEPALIVE). A child that is missed costs a start. */
export const KEEP_MS = 30_000;

/** All slots are needed: none is free, or jobs wait. */
export function areAllNeeded({ slots, busy, waiting }: Pick<Load, 'slots' | 'busy' | 'waiting'>): boolean {
  return busy >= slots || waiting > 0;
}

/**
 * How many slots there are to be. It grows at once, to a slot for each job that runs or waits: work that waits costs more
 * than a slot too many. It shrinks to what runs when not all were needed for `KEEP_MS`. Whatever comes, it stays within
 * the bounds.
 */
export function decideSlots(load: Load, { max, min }: AutoscaleBounds): number {
  const { slots, busy, waiting, calmMs } = load;
  const wanted = busy + waiting;
  const isShort = busy >= slots && waiting > 0;
  const isIdle = !areAllNeeded(load) && calmMs >= KEEP_MS;
  const next = isShort || isIdle ? wanted : slots;
  return Math.max(min, Math.min(max, next));
}
