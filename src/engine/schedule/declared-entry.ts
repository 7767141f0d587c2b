import { isRecord } from '../core/envelope.ts';
import type { EntryDefinition, ScheduleEntry } from '../core/schedule/entry.ts';
import { parseStoredSchedule } from '../core/schedule/stored-schedule.ts';
import { formatDefinition } from './stored-entry.ts';

/** An entry as code declares it. */
export interface DeclaredEntry {
  readonly name: string;
  readonly definition: EntryDefinition;
  /** False: it is stored paused. */
  readonly enabled: boolean;
}

/** What is kept of a declaration with the entry, to tell what code changed from what an operator did. */
export function formatDeclared({ definition, enabled }: Omit<DeclaredEntry, 'name'>): string {
  const text = formatDefinition(definition);
  // Its JSON with one field more; an entry that is enabled has the text of its definition.
  return enabled ? text : `${text.slice(0, -1)},"enabled":false}`;
}

/** What code declared of an entry, from the text that was kept of it. */
export function parseDeclared(declared: string, name: string): EntryDefinition {
  const {
    enabled: _,
    schedule,
    ...definition
  } = JSON.parse(declared) as Omit<EntryDefinition, 'schedule'> & {
    readonly schedule: unknown;
    readonly enabled?: boolean;
  };
  return { ...definition, schedule: parseStoredSchedule(schedule, name) };
}

/** Whether an operator has changed what code declared. A pause is no such change. */
export function isEdited({ definition, declared }: Pick<ScheduleEntry, 'definition' | 'declared'>): boolean {
  if (declared === null) return false;
  const enabled = wasEnabled(declared);
  return declared !== formatDeclared({ definition, enabled });
}

/** Whether code declared an entry enabled when it was stored last. */
export function wasEnabled(declared: string): boolean {
  return !declared.endsWith(',"enabled":false}');
}

/** What two definitions say differently. */
export interface DefinitionDifference {
  /** A field of the entry: `schedule`, `task`, `args`, `call.priority`. */
  readonly field: string;
  /** JSON; null where there is none. */
  readonly code: unknown;
  readonly stored: unknown;
}

export function listDifferences(code: EntryDefinition, stored: EntryDefinition): DefinitionDifference[] {
  const [one, other] = [toFields(code), toFields(stored)];
  const fields = [...new Set([...one.keys(), ...other.keys()])];
  return fields
    .filter((field) => JSON.stringify(one.get(field)) !== JSON.stringify(other.get(field)))
    .map((field) => ({ field, code: one.get(field) ?? null, stored: other.get(field) ?? null }));
}

function toFields(definition: EntryDefinition): Map<string, unknown> {
  // Its text has sorted keys, so that equal values are equal texts.
  const { call, ...fields } = JSON.parse(formatDefinition(definition)) as Record<string, unknown>;
  const calls = isRecord(call) ? Object.entries(call).map(([key, value]) => [`call.${key}`, value] as const) : [];
  return new Map([...Object.entries(fields), ...calls]);
}
