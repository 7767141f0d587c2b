import type { SchedulerState } from '../broker/schedule-port.ts';
import { mapBounded } from '../core/bounded.ts';
import { createError, messageOf } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { describeSchedule } from '../core/schedule/schedule-text.ts';
import { parseStoredSchedule } from '../core/schedule/stored-schedule.ts';
import {
  type DeclaredEntry,
  type DefinitionDifference,
  formatDeclared,
  isEdited,
  listDifferences,
  wasEnabled,
} from './declared-entry.ts';
import { priorityOf } from './firing-job.ts';
import { assertFree } from './foreign-schedulers.ts';
import type { PageSources } from './schedule-pages.ts';
import { formatDefinition } from './stored-entry.ts';

/** Whose word counts where an operator has changed what code declares: for all of it. */
export type Take = 'code' | 'stored';

/** @throws INVALID_OPTION */
export function assertTake(given: unknown, what: string): asserts given is Take {
  if (given === 'code' || given === 'stored') return;
  throw createError('INVALID_OPTION', { what, expected: '"code" or "stored"', given: formatGiven(given) });
}

export interface EntryDifference extends DefinitionDifference {
  readonly name: string;
  /** Which of the two holds now. */
  readonly taken: Take;
}

/** What a reconciliation has done. Entries are named in the order of the declarations, removed ones by name. */
export interface ReconcileReport {
  readonly added: readonly string[];
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  /** How many were as they are declared, or were left as an operator wants them. */
  readonly unchanged: number;
  /** What an operator has changed since code declared it, and code says otherwise. The field `enabled` is the pause. */
  readonly differences: readonly EntryDifference[];
  /** What could not be done, for each entry alone. */
  readonly failed: readonly { readonly name: string; readonly error: Error }[];
}

export interface ReconcileParts extends PageSources {
  readonly schedules: {
    replace(before: ScheduleEntry, change: EntryChange, isQuiet: boolean): Promise<ScheduleEntry>;
    removeEntry(entry: ScheduleEntry): Promise<void>;
  };
}

type EntryChange = Partial<Pick<ScheduleEntry, 'definition' | 'isPaused' | 'source' | 'app' | 'declared'>>;
type Stored = ScheduleEntry | { readonly name: string; readonly error: Error };
type Verdict = { readonly kind: 'added' | 'updated' | 'unchanged'; readonly differences: readonly EntryDifference[] };

/** Entries that are worked on at once. */
const AT_ONCE = 50;

/**
 * Makes the entries that this app declared those that it declares: new ones are added, changed ones updated, and those that are declared no
 * more are removed. What an operator has edited since is a difference: code wins, but a pause by hand (or its end) stays, unless `take`
 * says that all of one side holds. Entries of operators and of apps with other names are left alone. Without a difference nothing is written.
 */
export async function reconcile(
  declared: readonly DeclaredEntry[],
  { app, take }: Declaration,
  parts: ReconcileParts,
): Promise<ReconcileReport> {
  const { entries, arming, schedules } = parts;
  const [stored, states] = await Promise.all([entries.list(), arming.readStates(declared)]);
  const storedOf = new Map<string, Stored>(stored.map((entry) => [entry.name, entry]));
  const armed: ScheduleEntry[] = [];
  const failed: { name: string; error: Error }[] = [];
  const attempt = async <Result>(name: string, run: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await run();
    } catch (error) {
      if ((error as { code?: unknown }).code === 'BROKER_UNAVAILABLE') throw error;
      failed.push({ name, error: error instanceof Error ? error : new Error(messageOf(error)) });
      return undefined;
    }
  };
  const verdicts = await mapBounded(declared, AT_ONCE, async (entry) => ({
    name: entry.name,
    ...(await attempt(entry.name, () =>
      settleDeclared(entry, {
        stored: storedOf.get(entry.name),
        state: states.get(entry.name),
        app,
        take,
        parts,
        armed,
      }),
    )),
  }));
  const names = new Set(declared.map(({ name }) => name));
  const own = stored.filter(
    (one): one is ScheduleEntry => !('error' in one) && one.source === 'code' && one.app === app,
  );
  const undeclared = own.filter(({ name }) => !names.has(name));
  const removed = await mapBounded(undeclared, AT_ONCE, (entry) =>
    attempt(entry.name, async () => {
      await schedules.removeEntry(entry);
      return entry.name;
    }),
  );
  await settleChanged(armed, parts);
  const namesOf = (kind: Verdict['kind']): string[] =>
    verdicts.filter((verdict) => verdict.kind === kind).map(({ name }) => name);
  const report = {
    added: namesOf('added'),
    updated: namesOf('updated'),
    removed: removed.filter((name) => name !== undefined),
    unchanged: namesOf('unchanged').length,
    differences: verdicts.flatMap(({ differences }) => differences ?? []),
    failed,
  };
  if (report.added.length + report.updated.length + report.removed.length > 0) await entries.announce();
  return report;
}

/** The differences for people, one a line: `nightly: schedule is at 03:00 UTC, code says at 02:00 UTC: the code is taken`. */
export function formatDifferences(differences: readonly EntryDifference[]): string[] {
  return differences.map(({ name, field, code, stored, taken }) => {
    const [is, says] = [stored, code].map((value) => formatValue(name, field, value));
    const holds = taken === 'code' ? 'what code says is taken' : 'what was stored stays';
    return `${name}: ${field} was ${is}, code says ${says}: ${holds}`;
  });
}

function formatValue(name: string, field: string, value: unknown): string {
  return field === 'schedule' ? describeSchedule(parseStoredSchedule(value, name)) : JSON.stringify(value);
}

interface Declaration {
  /** The name of the app that declares the entries. */
  readonly app: string | null;
  readonly take: Take | undefined;
}

interface Found extends Declaration {
  readonly stored: Stored | undefined;
  readonly state: SchedulerState | undefined;
  readonly parts: ReconcileParts;
  /** Is told of each entry that is armed here. */
  readonly armed: ScheduleEntry[];
}

/** An app without a name takes over nothing from one that has one; the other way an app has been given its name since. */
function assertOwn({ name, source, app: owner }: ScheduleEntry, app: string | null): void {
  if (source !== 'code' || owner === null || owner === app) return;
  const remedy = `rename it in one of the two apps, or remove it with \`tq schedule remove ${name}\` if "${owner}" declares it no more`;
  throw createError('ENTRY_EXISTS', { entry: name, by: `an entry that the app "${owner}" declares`, remedy });
}

/** Brings one entry to what is declared; another process that does the same at the same moment is no fault. */
async function settleDeclared(declared: DeclaredEntry, found: Found): Promise<Verdict> {
  try {
    return await settleOnce(declared, found);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENTRY_CHANGED') throw error;
    const stored = await found.parts.entries.read(declared.name);
    const state = await found.parts.arming.readState(declared);
    return await settleOnce(declared, { ...found, stored, state });
  }
}

async function settleOnce(
  declared: DeclaredEntry,
  { stored, state, app, take, parts, armed }: Found,
): Promise<Verdict> {
  const { name, definition, enabled } = declared;
  const { broker, entries, arming, clock, schedules } = parts;
  if (stored !== undefined && 'error' in stored) throw stored.error;
  if (stored === undefined) {
    assertFree(name, definition.queue, state);
    await priorityOf(broker.queue(definition.queue), definition);
    const now = clock.now();
    const made = {
      name,
      definition,
      isPaused: !enabled,
      source: 'code',
      app,
      declared: formatDeclared(declared),
    } as const;
    const entry = { ...made, runsBefore: 0, createdAt: now, changedAt: now };
    const version = await entries.write(entry, null, { isQuiet: true });
    if (version === undefined) throw createError('ENTRY_CHANGED', { entry: name });
    armed.push({ ...entry, version });
    if (enabled) await arming.arm({ ...entry, version }, { isNew: state === undefined });
    return { kind: 'added', differences: [] };
  }
  assertOwn(stored, app);
  const { change, differences } = compare(declared, stored, { app, take });
  if (change !== undefined) {
    await schedules.replace(stored, change, true);
    return { kind: 'updated', differences };
  }
  // What a process that died in between has stored and not armed.
  if (!stored.isPaused && state === undefined) {
    armed.push(stored);
    await arming.arm(stored, { isNew: true });
  }
  return { kind: 'unchanged', differences };
}

/** What is to change in a stored entry so that it is as declared, and what an operator had changed in it. */
function compare(
  declared: DeclaredEntry,
  stored: ScheduleEntry,
  { app, take }: Declaration,
): { readonly change: EntryChange | undefined; readonly differences: readonly EntryDifference[] } {
  const { name, definition, enabled } = declared;
  const isOperators = stored.declared === null || isEdited(stored);
  const taken: Take = isOperators && take === 'stored' ? 'stored' : 'code';
  const edits = isOperators ? listDifferences(definition, stored.definition) : [];
  const differences: EntryDifference[] = edits.map((edit) => ({ name, ...edit, taken }));
  const isPausedByHand = stored.isPaused === (stored.declared === null ? true : wasEnabled(stored.declared));
  const pauseTaken: Take = isPausedByHand && take !== 'code' ? 'stored' : 'code';
  if (isPausedByHand && stored.isPaused === enabled) {
    differences.push({ name, field: 'enabled', code: enabled, stored: !stored.isPaused, taken: pauseTaken });
  }
  const wanted = {
    definition: taken === 'code' ? definition : stored.definition,
    isPaused: pauseTaken === 'code' ? !enabled : stored.isPaused,
    source: 'code',
    app,
    declared: formatDeclared(declared),
  } as const;
  const isSame =
    formatDefinition(wanted.definition) === formatDefinition(stored.definition) &&
    wanted.isPaused === stored.isPaused &&
    stored.source === 'code' &&
    stored.app === app &&
    wanted.declared === stored.declared;
  return { change: isSame ? undefined : wanted, differences };
}

/** Entries that somebody else changed while they were armed here: their schedulers become what is stored now. */
async function settleChanged(armed: readonly ScheduleEntry[], { entries, arming }: ReconcileParts): Promise<void> {
  if (armed.length === 0) return;
  const versions = await entries.listVersions();
  const changed = armed.filter(({ name, version }) => versions.get(name) !== version);
  await mapBounded(changed, AT_ONCE, async (entry) => {
    const stored = await entries.read(entry.name);
    if (stored?.definition.queue !== entry.definition.queue) await arming.disarm(entry);
    if (stored !== undefined) await arming.settle(stored, { state: await arming.readState(stored) });
  });
}
