import type { StateStore } from '../broker/state-port.ts';
import { isRecord } from '../core/envelope.ts';

/**
 * What beats say of themselves, for whoever wants to know which there are: an entry of the state each, `beat/live/ID`, renewed as long as
 * the beat runs (presence.ts) and gone soon after it died.
 */
const LIVE = 'beat/live/';

/** A beat that runs. Instants are epoch ms by its own clock. */
export interface LiveBeat {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: number;
  readonly isLeader: boolean;
  /** Since when it leads, or stands by. */
  readonly since: number;
  /** How many it keeps; 0 for one that stands by. */
  readonly entries: number;
  /** When it looked last whether an entry is due; null for one that never led. */
  readonly lastTickAt: number | null;
  /** Entries that have a firing which has not started though it was due over a minute ago. */
  readonly overdue: number;
}

export async function writeLiveBeat(state: StateStore, { id, ...said }: LiveBeat, ttlMs: number): Promise<void> {
  await state.write(LIVE + id, JSON.stringify(said), { ttlMs });
}

export async function removeLiveBeat(state: StateStore, { id }: Pick<LiveBeat, 'id'>): Promise<void> {
  await state.remove(LIVE + id);
}

/** The beats that run now, the leader first, then by name. A record that cannot be read counts for nothing. */
export async function listLiveBeats(state: StateStore): Promise<LiveBeat[]> {
  const found = await state.list(LIVE);
  const beats = found.flatMap(({ key, value }): LiveBeat[] => {
    const said = parse(value);
    return said === undefined ? [] : [{ ...said, id: key.slice(LIVE.length) }];
  });
  return beats.sort((a, b) => Number(b.isLeader) - Number(a.isLeader) || (a.name < b.name ? -1 : 1));
}

/** The beat that leads; undefined when none does. */
export async function readLeader(state: StateStore): Promise<LiveBeat | undefined> {
  return (await listLiveBeats(state)).find(({ isLeader }) => isLeader);
}

function parse(value: string): Omit<LiveBeat, 'id'> | undefined {
  try {
    const said: unknown = JSON.parse(value);
    return isRecord(said) && typeof said.name === 'string' ? (said as unknown as Omit<LiveBeat, 'id'>) : undefined;
  } catch {
    return undefined;
  }
}

/** A leader looks every second whether an entry is due; clocks of two machines may disagree by some seconds. */
const STALE_MS = 30_000;

/**
 * How long a leader has not looked whether an entry is due, in ms, when that is too long. What it did when it led before does not count.
 *
 * @returns undefined for one that looks in time, or stands by
 */
export function readStaleness(
  { isLeader, lastTickAt, since }: Pick<LiveBeat, 'isLeader' | 'lastTickAt' | 'since'>,
  now: number,
): number | undefined {
  const idleMs = now - Math.max(lastTickAt ?? 0, since);
  return isLeader && idleMs > STALE_MS ? idleMs : undefined;
}
