import { nameSome } from '../engine/core/counted.ts';
import { OVERDUE_MS } from '../engine/core/schedule/firing.ts';
import type { UpcomingRun } from '../engine/core/schedule/upcoming-runs.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import type { ChangedEntry } from '../ops/entry-changes.ts';
import type { FiringFacts } from '../ops/firing-facts.ts';
import { type Block, type Presentation, table } from './presentation.ts';

type Timed = Pick<ScheduleView, 'name' | 'enabled' | 'nextAt' | 'source'> & Partial<Pick<ScheduleView, 'error'>>;

/** `unreadable`, `paused`, `overdue`, `ended`, or `fires`. */
export function stateOfEntry({ enabled, nextAt, error = null }: Timed, now: number): string {
  if (error !== null) return 'unreadable';
  if (!enabled) return 'paused';
  if (nextAt === null) return 'ended';
  return now - nextAt > OVERDUE_MS ? 'overdue' : 'fires';
}

/** What keeps entries from firing on time, and what to do about it, a line each. */
export function describeFiring(entries: readonly Timed[], firing: FiringFacts, now: number): string[] {
  const overdue = entries.filter((entry) => stateOfEntry(entry, now) === 'overdue').map(({ name }) => name);
  const isKept = entries.some(
    (entry) => entry.source !== 'bullmq' && ['fires', 'overdue'].includes(stateOfEntry(entry, now)),
  );
  const { leader, unserved, paused } = firing;
  return [
    ...(overdue.length === 0 ? [] : [`overdue: ${nameSome(overdue)}`]),
    ...unserved.map((queue) => `no worker consumes queue "${queue}": firings wait in it; \`tq worker -Q ${queue}\``),
    ...paused.map((queue) => `queue "${queue}" is paused: firings wait in it; \`tq queue resume ${queue}\``),
    ...(leader !== null || !isKept
      ? []
      : ['no beat leads: entries go on only while workers take their firings; `tq beat`, or `tq worker --beat`']),
  ];
}

/** Due times as the clock of the entry shows them. */
export function dueTable(due: readonly UpcomingRun[]): Block {
  return table(
    [
      { key: 'at', title: 'DUE', as: 'instant' },
      { key: 'local', title: 'LOCAL', as: 'text' },
      { key: 'offset', title: 'OFFSET', as: 'text' },
      { key: 'note', title: 'NOTE', as: 'text', shrinks: true },
    ],
    due,
    'it does not fire any more',
  );
}

/** What pausing and resuming show. */
export function presentChanged(
  entries: readonly ChangedEntry[],
  { none, unchanged }: { readonly none: string; readonly unchanged: string },
): Presentation {
  return {
    json: { entries },
    blocks: [
      table(
        [
          { key: 'name', title: 'NAME', as: 'text' },
          { key: 'enabled', title: 'ENABLED', as: 'flag' },
          { key: 'nextAt', title: 'NEXT', as: 'instant' },
        ],
        entries,
        none,
      ),
    ],
    notes: entries.filter(({ changed }) => !changed).map(({ name }) => `schedule entry "${name}" ${unchanged}`),
  };
}
