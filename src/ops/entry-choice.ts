import { array, check, exactOptional, type InferOutput, literal, nonEmpty, pipe, strictObject, string } from 'valibot';
import { countOf } from '../engine/core/counted.ts';
import { parseNamePattern } from '../engine/core/name-pattern.ts';
import type { SchedulePage } from '../engine/schedule/schedule-pages.ts';
import { createUnreadableView, type ScheduleView } from '../engine/schedule/schedule-view.ts';
import type { Schedules } from '../engine/schedule/schedules.ts';

/** Which entries: by their names, by a pattern of names, or all that there are. */
export const entryChoice = pipe(
  strictObject({
    names: exactOptional(pipe(array(pipe(string(), nonEmpty())), nonEmpty())),
    where: exactOptional(pipe(string(), nonEmpty())),
    all: exactOptional(literal(true)),
  }),
  check(
    ({ names, where, all }) => [names, where, all].filter((given) => given !== undefined).length === 1,
    'give one of names, where and all',
  ),
);

export type EntryChoice = InferOutput<typeof entryChoice>;

const PAGE = 1000;

/** Every entry of the broker by name, and after them the job schedulers of plain BullMQ, read in pages. */
export async function* scanEntries(
  schedules: Schedules,
  limit = PAGE,
): AsyncGenerator<readonly ScheduleView[], void, void> {
  let after: string | undefined;
  do {
    const page: SchedulePage = await schedules.list({ limit, after });
    yield page.schedules;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/**
 * A pattern, and all, mean entries of tq: a job scheduler of another BullMQ application is changed when it is named.
 *
 * @throws UNKNOWN_ENTRY for a name that no entry has; a pattern may fit none
 */
export async function chooseEntries(
  schedules: Schedules,
  { names, where }: EntryChoice,
): Promise<readonly ScheduleView[]> {
  if (names !== undefined) return await Promise.all([...new Set(names)].map((name) => readEntry(schedules, name)));
  const fits = where === undefined ? () => true : parseNamePattern(where);
  const chosen: ScheduleView[] = [];
  for await (const page of scanEntries(schedules))
    chosen.push(...page.filter(({ name, source }) => source !== 'bullmq' && fits(name)));
  return chosen;
}

/** One that cannot be read is one all the same: it can be removed. */
async function readEntry(schedules: Schedules, name: string): Promise<ScheduleView> {
  try {
    return await schedules.read(name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENTRY_UNREADABLE') {
      return createUnreadableView(name, error);
    }
    throw error;
  }
}

export function choiceFlags({ names = [], where, all }: EntryChoice): string[] {
  return [...names, ...(where === undefined ? [] : ['--where', where]), ...(all === true ? ['--all'] : [])];
}

/** `1 schedule entry`, `3 schedule entries`. */
export function countEntries(count: number): string {
  return countOf(count, 'schedule entry', 'schedule entries');
}
