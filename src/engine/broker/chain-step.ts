import type { IQueueBackend } from 'bullmq';
import { listSteps } from '../core/schedule/chain.ts';
import { parseFiringId } from '../core/schedule/firing.ts';
import { nextRun } from '../core/schedule/runs.ts';
import {
  type FiringTemplate,
  madeOf,
  parseRule,
  readTemplate,
  type StoredRule,
  toFiringOptions,
} from './firing-options.ts';
import { overrideMethod } from './patient-backend.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { Store } from './store.ts';
import { isTrouble } from './trouble.ts';

/** A firing ahead, and what the next one of its scheduler is made of. */
export interface ChainPlace {
  readonly queue: string;
  /** Of the scheduler. */
  readonly id: string;
  /** Its due time, epoch ms. */
  readonly dueAt: number;
  /** How many firings the scheduler has had, this one included. */
  readonly made: number;
  readonly template: FiringTemplate;
}

/**
 * Goes on from the firing ahead by the rule of its entry, each step with the firing before it as the one that must be ahead. Of several
 * who do so, one takes each step; a process that dies in between leaves the rest to whoever takes the firing that is ahead then.
 */
export async function walkChain(schedules: ScheduleStore, place: ChainPlace, now: number): Promise<void> {
  const stored = parseRule(place.template, place.id);
  let at: ChainPlace | undefined = place;
  for (const to of listSteps(stored.rule, place.dueAt, now, stored.runsBefore + place.made)) {
    at = await stepTo(schedules, at, { to, now, stored });
    if (at === undefined) return;
  }
}

/**
 * Adds the firing of a due time. One that has a job already (its scheduler was removed and made again) has been fired: the next due time
 * takes its place.
 *
 * @returns the new firing ahead; undefined when another one than `place` was ahead, or there is no further due time
 */
export async function stepTo(
  schedules: ScheduleStore,
  place: ChainPlace,
  { to, now, stored }: { readonly to: number; readonly now: number; readonly stored: StoredRule },
): Promise<ChainPlace | undefined> {
  const { queue, id, dueAt: from, template } = place;
  const made = place.made + 1;
  for (let at: number | undefined = to; at !== undefined; ) {
    const opts = toFiringOptions(template, { id, dueAt: at, made, now });
    const priority = template.priority ?? 0;
    const answer = await schedules.put(queue, { id, from, to: at, made, replaces: false, opts, priority }, now);
    if (answer === 'put') return { ...place, dueAt: at, made };
    if (answer === 'moved') return undefined;
    at = nextRun(stored.rule.schedule, at, stored.runsBefore + place.made);
  }
  return undefined;
}

/**
 * Makes the consumer of a queue go on with schedulers of tq by their rules, before the firing that it took runs: BullMQ's worker asks its
 * backend for the next one with each job of a scheduler that it takes, also with one whose worker was lost. Other schedulers go on as
 * BullMQ lets them.
 *
 * @param backend of this consumer alone
 * @param at.onFault a chain could not be gone on with, for another reason than a store that is away. The firing runs all the same; the
 *   next one is left to a beat
 */
export function goOnByRule(
  backend: IQueueBackend,
  {
    queue,
    store,
    onFault,
  }: { readonly queue: string; readonly store: Store; readonly onFault: (error: Error) => void },
): void {
  overrideMethod(backend, 'updateJobSchedulerNextMillis', (method) => async (...args) => {
    const [id, , , options, producerId = ''] = args as Parameters<IQueueBackend['updateJobSchedulerNextMillis']>;
    const template = readTemplate(options);
    if (template === undefined) return await method(...args);
    const dueAt = parseFiringId(producerId, id);
    if (dueAt === undefined) return undefined;
    // BullMQ has counted the next one already.
    const place = { queue, id, dueAt, made: madeOf(options) - 1, template };
    try {
      await walkChain(store.schedules, place, store.clock.now());
    } catch (error) {
      if (isTrouble(error)) throw error;
      onFault(error as Error);
    }
    return undefined;
  });
}
