import {
  exactOptional,
  integer,
  maxValue,
  minValue,
  nonEmpty,
  number,
  picklist,
  pipe,
  strictObject,
  string,
} from 'valibot';
import { parseNamePattern } from '../engine/core/name-pattern.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';
import type { Schedules } from '../engine/schedule/schedules.ts';
import { scanEntries } from './entry-choice.ts';
import { type FiringFacts, readFiringFacts } from './firing-facts.ts';
import { defineOperation } from './operation.ts';
import { openSchedules } from './schedules-of.ts';

export interface ListedEntries {
  readonly entries: readonly ScheduleView[];
  /** The limit was reached: there may be more. */
  readonly isFull: boolean;
  readonly firing: FiringFacts;
  /** When it was looked, epoch ms. */
  readonly now: number;
}

const MAX_ENTRIES = 10_000;
export const listEntries = defineOperation({
  name: 'list-entries',
  effect: 'read',
  summary: 'List schedule entries: when they fire next, when they fired last and how it ended',
  input: strictObject({
    /** A pattern of names, or how they begin. */
    where: exactOptional(pipe(string(), nonEmpty())),
    sort: exactOptional(picklist(['name', 'next'])),
    limit: pipe(number(), integer(), minValue(1), maxValue(MAX_ENTRIES)),
  }),
  async run(session, { where, sort = 'name', limit }): Promise<ListedEntries> {
    const schedules = await openSchedules(session);
    const fits = where === undefined ? () => true : parseFilter(where);
    const found = sort === 'name' ? await takeByName(schedules, fits, limit) : await takeByNext(schedules, fits);
    const entries = found.slice(0, limit);
    const now = session.clock.now();
    const firing = await readFiringFacts(await session.broker(), entries, now);
    return { entries, isFull: found.length >= limit, firing, now };
  },
  commandLine: ({ where, sort, limit }) => [
    ...['schedule', 'list'],
    ...(where === undefined ? [] : ['--where', where]),
    ...(sort === undefined ? [] : ['--sort', sort]),
    ...['--limit', String(limit)],
  ],
});

type Fits = (name: string) => boolean;

/** `report.*` is a pattern; `report.` is how names begin. */
function parseFilter(where: string): Fits {
  return /[*?]/.test(where) ? parseNamePattern(where) : (name) => name.startsWith(where);
}

/** No more pages are read than it takes. */
async function takeByName(schedules: Schedules, fits: Fits, limit: number): Promise<ScheduleView[]> {
  const found: ScheduleView[] = [];
  for await (const page of scanEntries(schedules, Math.min(limit, 1000))) {
    found.push(...page.filter(({ name }) => fits(name)));
    if (found.length >= limit) break;
  }
  return found;
}

/** The next due first; those that do not fire any more, and paused ones, last. */
async function takeByNext(schedules: Schedules, fits: Fits): Promise<ScheduleView[]> {
  const found: ScheduleView[] = [];
  for await (const page of scanEntries(schedules)) found.push(...page.filter(({ name }) => fits(name)));
  const rank = ({ enabled, nextAt }: ScheduleView): number => (enabled && nextAt !== null ? nextAt : Infinity);
  return found.sort((a, b) => (rank(a) < rank(b) ? -1 : Number(rank(a) > rank(b))));
}
