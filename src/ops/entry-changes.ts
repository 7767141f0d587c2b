import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import type { Schedules } from '../engine/schedule/schedules.ts';
import { chooseEntries, countEntries, type EntryChoice } from './entry-choice.ts';
import type { Plan, Run } from './operation.ts';
import { openSchedules } from './schedules-of.ts';
import type { Session } from './session.ts';

export interface ChangedEntry {
  readonly name: string;
  readonly enabled: boolean;
  /** Epoch ms; null while it does not fire. */
  readonly nextAt: number | null;
  /** False when it was so before. */
  readonly changed: boolean;
}

export interface ChangedEntries {
  readonly entries: readonly ChangedEntry[];
}

type IsDue = (entry: ScheduleView) => boolean;

/** Entries that are named are not asked about, as `tq task pause` does not; how many a pattern takes, nobody can see before. */
export async function planChange(
  session: Session,
  choice: EntryChoice,
  { verb, isDue }: { readonly verb: string; readonly isDue: IsDue },
): Promise<Plan> {
  const chosen = await chooseEntries(await openSchedules(session), choice);
  const due = chosen.filter(isDue);
  return {
    summary: `would ${verb} ${countEntries(due.length)}`,
    count: choice.names === undefined ? due.length : 0,
    things: 'schedule entries',
    rows: due.map(({ name, task, queue, schedule }) => ({ name, task, queue, fires: schedule })),
  };
}

/** One after the other: an entry that cannot be changed leaves those before it changed, and its error says which it is. */
export async function changeEntries(
  session: Session,
  choice: EntryChoice,
  {
    isDue,
    change,
    progress,
  }: {
    readonly isDue: IsDue;
    readonly change: (schedules: Schedules, name: string) => Promise<ScheduleView>;
    readonly progress: Run['progress'];
  },
): Promise<ChangedEntries> {
  const schedules = await openSchedules(session);
  const entries: ChangedEntry[] = [];
  for (const entry of await chooseEntries(schedules, choice)) {
    const changed = isDue(entry);
    // What is named is done in any case: that mends an entry whose job scheduler is gone.
    if (!changed && choice.names === undefined) continue;
    const { name, enabled, nextAt } = await change(schedules, entry.name);
    entries.push({ name, enabled, nextAt, changed });
    progress(entries.filter((each) => each.changed).length);
  }
  return { entries };
}
