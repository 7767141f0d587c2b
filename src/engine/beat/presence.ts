/**
 * What beats say of themselves, for `tq health --beat` and whoever wants to know which beats there are: an entry of the state each,
 * `beat/live/ID`, renewed as long as the beat runs and gone soon after it died.
 */
import type { StateStore } from '../broker/state-port.ts';
import { isRecord } from '../core/envelope.ts';
import { Repetition, type SetTimer } from './repetition.ts';

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

export interface PresenceOptions {
  readonly state: StateStore;
  readonly ttlMs: number;
  readonly everyMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  readonly describe: () => LiveBeat;
  readonly onTrouble: (error: unknown) => void;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #telling: Repetition;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#telling = new Repetition({ ...options, act: () => this.#tell() });
  }

  /** Resolves when it was told once. */
  start(): Promise<void> {
    return this.#telling.start();
  }

  /** Tells it now: something has changed. */
  renew(): void {
    this.#telling.hurry();
  }

  async stop(): Promise<void> {
    await this.#telling.stop();
    await this.#options.state.remove(LIVE + this.#options.describe().id).catch(() => undefined);
  }

  async #tell(): Promise<number> {
    const { state, ttlMs, everyMs, describe } = this.#options;
    const { id, ...said } = describe();
    await state.write(LIVE + id, JSON.stringify(said), { ttlMs });
    return everyMs;
  }
}

/** The beats that run now, the leader first, then by name. */
export async function listLiveBeats(state: StateStore): Promise<LiveBeat[]> {
  const found = await state.list(LIVE);
  const beats = found.flatMap(({ key, value }): LiveBeat[] => {
    const said = parse(value);
    return said === undefined ? [] : [{ ...said, id: key.slice(LIVE.length) }];
  });
  return beats.sort((a, b) => Number(b.isLeader) - Number(a.isLeader) || (a.name < b.name ? -1 : 1));
}

function parse(value: string): Omit<LiveBeat, 'id'> | undefined {
  try {
    const said: unknown = JSON.parse(value);
    return isRecord(said) && typeof said.name === 'string' ? (said as unknown as Omit<LiveBeat, 'id'>) : undefined;
  } catch {
    return undefined;
  }
}
