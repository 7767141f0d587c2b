import type { NewJob } from '../core/job.ts';
import type { ChainRule } from '../core/schedule/chain.ts';

/**
 * The job schedulers of a queue. Each has one firing ahead: a job whose id follows from scheduler and due time (core/schedule/firing.ts).
 * Every store keeps the same promises (test/engine/broker/contract/schedules.ts):
 *
 * 1. Each call is atomic. Of several callers that advance from the same firing, one adds the next.
 * 2. A worker that takes the firing ahead advances its scheduler by `listSteps` before the firing runs, whether a beat is there or not.
 *    It does so again after it died in between.
 * 3. A firing that is due and waits is never taken away by arming, advancing or removing.
 * 4. What plain BullMQ made (`Queue.upsertJobScheduler`) is listed, read and removed as well, and goes on as BullMQ lets it.
 */
export interface QueueSchedules {
  /**
   * Makes a scheduler, or replaces its rule, its job and the firing that it has ahead. A firing ahead that is due already stays.
   *
   * @returns false when there was a job of that id already: this due time has been fired, and nothing was changed
   */
  arm(firing: ArmedFiring): Promise<boolean>;
  /**
   * Adds the firing of a due time after that of another.
   *
   * @param from the due time of the firing that is ahead
   * @param to the due time of the next, epoch ms; one that has passed waits at once
   * @returns false when that is not the firing ahead any more: another one was first
   */
  advance(id: string, from: number, to: number): Promise<boolean>;
  /** Removes a scheduler, and the firing that it has ahead unless that is due. @returns whether there was one */
  remove(id: string): Promise<boolean>;
  /** In the order of the ids; undefined for an id that the queue has no scheduler of. */
  read(ids: readonly string[]): Promise<(SchedulerState | undefined)[]>;
  /** The schedulers of the queue, the next due first. */
  list(offset: number, limit: number): Promise<{ readonly id: string; readonly dueAt: number }[]>;
  size(): Promise<number>;
}

/** What a scheduler is made of. */
export interface ArmedFiring {
  /** Of the scheduler. */
  readonly id: string;
  /** Epoch ms; one that has passed waits at once. */
  readonly dueAt: number;
  readonly rule: ChainRule;
  /** How often its entry had fired before it was made. */
  readonly runsBefore: number;
  /** What each of its firings is. */
  readonly job: Pick<NewJob, 'task' | 'args' | 'meta' | 'priority' | 'ignoreResult'>;
  /** The caller has seen no scheduler of this id: it is not looked for, unless it turns out to be there. Default false. */
  readonly isNew?: boolean;
}

export interface SchedulerState {
  readonly id: string;
  /** Of the firing ahead, epoch ms; it has passed when nobody went on from there. */
  readonly dueAt: number;
  /** Where that firing is; `finished` and `missing` when nobody went on from it, or there is none after it. */
  readonly ahead: 'scheduled' | 'waiting' | 'active' | 'finished' | 'missing';
  /** How many firings it has had, the one ahead included. */
  readonly made: number;
  readonly runsBefore: number;
  /** Undefined for one that plain BullMQ made. */
  readonly rule: ChainRule | undefined;
  readonly task: string;
  /** How plain BullMQ repeats it, for people: its pattern, or `every 60000 ms`. */
  readonly text: string | null;
}
