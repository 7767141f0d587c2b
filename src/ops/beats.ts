import type { Broker } from '../engine/broker/port.ts';
import { isRecord } from '../engine/core/envelope.ts';

/** A beat that lives: it says so in the broker every few seconds. */
export interface LiveBeat {
  readonly name: string;
  readonly host: string | null;
  readonly pid: number | null;
  /** It keeps the entries; the others wait to take its place. */
  readonly isLeader: boolean;
}

const LIVE = 'beat/live/';

/** The beats that live now, the leader first. A record that cannot be read counts for nothing. */
export async function listBeats({ state }: Pick<Broker, 'state'>): Promise<LiveBeat[]> {
  const records = await state.list(LIVE);
  const beats = records.flatMap(({ key, value }) => parseBeat(key, value));
  return beats.sort((a, b) => Number(b.isLeader) - Number(a.isLeader));
}

function parseBeat(key: string, value: string): LiveBeat[] {
  try {
    const record: unknown = JSON.parse(value);
    if (!isRecord(record)) return [];
    const { name, host, pid, isLeader } = record;
    return [
      {
        name: typeof name === 'string' ? name : key.slice(LIVE.length),
        host: typeof host === 'string' ? host : null,
        pid: typeof pid === 'number' ? pid : null,
        isLeader: isLeader === true,
      },
    ];
  } catch {
    return [];
  }
}
