import { listSteps } from '../core/schedule/chain.ts';
import { nextRun } from '../core/schedule/runs.ts';
import { type FiringTemplate, parseRule, type StoredRule, toFiringOptions } from './firing-options.ts';
import type { ScheduleStore } from './schedule-store.ts';

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
    if (to <= at.dueAt) continue;
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
