import { nonEmpty, pipe, strictObject, string } from 'valibot';
import type { SchedulerState } from '../engine/broker/schedule-port.ts';
import type { EntryCall, MissedRule, Overlap } from '../engine/core/schedule/entry.ts';
import { formatFiringId } from '../engine/core/schedule/firing.ts';
import { listUpcoming, type UpcomingRun } from '../engine/core/schedule/upcoming-runs.ts';
import type { JobState } from '../engine/core/state.ts';
import { parseDeclared } from '../engine/schedule/declared-entry.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import type { Schedules } from '../engine/schedule/schedules.ts';
import { definitionOf, describeDifferences } from './entry-definition.ts';
import { type FiringFacts, readFiringFacts } from './firing-facts.ts';
import { defineOperation } from './operation.ts';
import { openSchedules } from './schedules-of.ts';

/** Everything about one entry. Instants are epoch ms, durations ms; absent is null. */
export interface ShownEntry {
  readonly name: string;
  readonly description: string | null;
  readonly task: string | null;
  readonly args: readonly unknown[] | null;
  readonly queue: string | null;
  /** In words. */
  readonly schedule: string;
  /** As it was given: `{ cron: '0 3 * * *', timezone: 'Europe/Berlin' }`; null for a job scheduler of plain BullMQ. */
  readonly when: Readonly<Record<string, unknown>> | null;
  readonly timezone: string | null;
  readonly enabled: boolean;
  readonly source: ScheduleView['source'];
  readonly app: string | null;
  readonly overlap: Overlap | null;
  readonly missed: MissedRule | null;
  /** The call options of its firings. */
  readonly call: EntryCall | null;
  readonly nextAt: number | null;
  /** The job of the firing ahead, and where that is. */
  readonly nextId: string | null;
  readonly ahead: SchedulerState['ahead'] | null;
  /** The next five due times. */
  readonly due: readonly UpcomingRun[];
  /** When the latest firing was due, was started and ended, and how. */
  readonly lastDueAt: number | null;
  readonly lastAt: number | null;
  readonly lastFinishedAt: number | null;
  readonly lastId: string | null;
  readonly lastState: JobState | null;
  readonly runs: number | null;
  /** Where an operator has changed what code declares. */
  readonly differences: readonly ShownDifference[];
  readonly createdAt: number | null;
  readonly changedAt: number | null;
}

/** A schedule is in words, all else is JSON. */
export interface ShownDifference {
  readonly field: string;
  readonly code: string;
  readonly stored: string;
}

export interface EntrySight {
  readonly entry: ShownEntry;
  readonly firing: FiringFacts;
  /** When it was looked, epoch ms. */
  readonly now: number;
}

const SHOWN = 5;

export const showEntry = defineOperation({
  name: 'show-entry',
  effect: 'read',
  summary: 'Show everything about one schedule entry',
  input: strictObject({ name: pipe(string(), nonEmpty()) }),
  async run(session, { name }): Promise<EntrySight> {
    const schedules = await openSchedules(session);
    const view = await schedules.read(name);
    const now = session.clock.now();
    const [firing, differences] = await Promise.all([
      readFiringFacts(await session.broker(), [view], now),
      view.edited ? readDifferences(schedules, view) : [],
    ]);
    return { entry: { ...describeEntry(view, now), differences }, firing, now };
  },
  commandLine: ({ name }) => ['schedule', 'show', name],
});

function describeEntry(view: ScheduleView, now: number): Omit<ShownEntry, 'differences'> {
  const { name, description, task, args, queue, schedule, timezone, enabled, source, app, overlap, missed, call } =
    view;
  const { nextAt, ahead, lastDueAt, lastAt, lastFinishedAt, lastId, lastState, runs, createdAt, changedAt } = view;
  const definition = definitionOf(view);
  const { v: _, ...when } = view.when ?? { v: 1 };
  const isStored = ahead === 'scheduled' || ahead === 'waiting' || ahead === 'active';
  return {
    ...{ name, description, task, args, queue, schedule, when: view.when === null ? null : when },
    ...{ timezone, enabled, source, app, overlap, missed, call, nextAt },
    nextId: isStored && nextAt !== null ? formatFiringId(name, nextAt) : null,
    ahead,
    due:
      definition === undefined ? [] : listUpcoming(definition.schedule, { after: now, count: SHOWN, runs: runs ?? 0 }),
    ...{ lastDueAt, lastAt, lastFinishedAt, lastId, lastState, runs, createdAt, changedAt },
  };
}

async function readDifferences({ entries }: Schedules, view: ScheduleView): Promise<ShownDifference[]> {
  const stored = await entries.read(view.name);
  if (stored?.declared === undefined || stored.declared === null) return [];
  const found = describeDifferences(parseDeclared(stored.declared, view.name), stored.definition);
  return found.map(({ field, from, to }) => ({ field, code: from, stored: to }));
}
