import { type FiringTemplate, parseRule, readTemplate, type StoredRule } from './firing-options.ts';
import type { SchedulerState } from './schedule-port.ts';
import type { SchedulerRecord } from './schedule-store.ts';

const AHEAD: Readonly<Record<string, SchedulerState['ahead']>> = {
  delayed: 'scheduled',
  active: 'active',
  'waiting-children': 'active',
  completed: 'finished',
  failed: 'finished',
};
/** A rule that cannot be read is as none: who keeps the entry arms it anew. */
export function readStored(
  { opts }: SchedulerRecord,
  id: string,
): { template: FiringTemplate; stored: StoredRule } | undefined {
  try {
    const template = readTemplate(JSON.parse(opts ?? '{}'));
    return template === undefined ? undefined : { template, stored: parseRule(template, id) };
  } catch {
    return undefined;
  }
}

/** A record of the store in tq's words. @param now epoch ms */
export function toSchedulerState(record: SchedulerRecord, id: string, now: number): SchedulerState {
  const { dueAt, state, made, name, pattern, every } = record;
  const stored = readStored(record, id)?.stored;
  const place = state === null ? 'missing' : (AHEAD[state] ?? 'waiting');
  return {
    id,
    dueAt,
    // Where no worker looks, a job that is due lies among the scheduled ones.
    ahead: place === 'scheduled' && dueAt <= now ? 'waiting' : place,
    made,
    runsBefore: stored?.runsBefore ?? 0,
    rule: stored?.rule,
    task: name,
    text: pattern ?? (every === null ? null : `every ${every} ms`),
  };
}
