import type { Broker } from '../../engine/broker/port.ts';
import type { Clock } from '../../engine/core/clock.ts';
import { messageOf } from '../../engine/core/errors.ts';
import { FailureList } from '../../engine/core/failure-list.ts';
import { listSteps } from '../../engine/core/schedule/chain.ts';
import type { ScheduleEntry } from '../../engine/core/schedule/entry.ts';
import { countRuns } from '../../engine/schedule/arming.ts';
import { runRecordKey } from '../../engine/schedule/run-record.ts';
import { Schedules } from '../../engine/schedule/schedules.ts';
import { writeStateRecord } from './state-writing.ts';

export interface MovedEntries {
  /** Names. */
  readonly moved: readonly string[];
  /** Entries that stay, and why. */
  readonly failed: FailureList;
}

/**
 * Moves the schedule entries of paused queues, with their count of runs, their pause and their last run. Both brokers' queues are paused.
 *
 * An entry is stored and armed in the target, and then removed from the source: it fires on time there, and waits for the queue to go on.
 * A firing that is due stays in its queue, and is moved as any job; the target goes on after it. Killed in between, both have the entry
 * and the next run removes it from the source. An entry whose name the target has is left there as it is: it is the one of a run before,
 * or the same app declares it there.
 *
 * @param queues those whose entries are moved; undefined for all
 */
export async function moveEntries(
  { source, target }: { readonly source: Broker; readonly target: Broker },
  { queues, clock }: { readonly queues: readonly string[] | undefined; readonly clock: Clock },
): Promise<MovedEntries> {
  const [here, there] = [new Schedules({ broker: source, clock }), new Schedules({ broker: target, clock })];
  const moved: string[] = [];
  const failed = new FailureList();
  for (const entry of await here.entries.list()) {
    if ('error' in entry) {
      failed.add(entry.name, messageOf(entry.error));
      continue;
    }
    if (queues !== undefined && !queues.includes(entry.definition.queue)) continue;
    const state = await here.readState(entry);
    await there.entries.write({ ...entry, runsBefore: countRuns(entry, state, clock.now()) }, null);
    const record = await source.state.read(runRecordKey(entry.name));
    if (record !== undefined) await writeStateRecord(target.state, record);
    await armThere(there, entry.name, findSince(entry, state, clock.now()));
    await here.removeEntry(entry);
    moved.push(entry.name);
  }
  if (moved.length > 0) await here.entries.announce();
  return { moved, failed };
}

async function armThere(there: Schedules, name: string, since: number | undefined): Promise<void> {
  const stored = await there.entries.read(name);
  if (stored === undefined || stored.isPaused || (await there.readState(stored)) !== undefined) return;
  await there.rearm(stored, { since });
}

/** The firing that is due is there, and moved: what is to be fired is what comes after it, by the policy of the entry. */
function findSince(
  { definition }: ScheduleEntry,
  state: Parameters<typeof countRuns>[1],
  now: number,
): number | undefined {
  if (state === undefined || state.dueAt > now) return undefined;
  const [next] = listSteps(definition, state.dueAt, now, state.runsBefore + state.made);
  return next === undefined ? undefined : next - 1;
}
