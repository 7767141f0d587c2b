import type { StateEntry, StateStore } from '../engine/broker/state-port.ts';
import { TqError } from '../engine/core/errors.ts';
import type { KeptBundle } from './undo-keeper.ts';

/** What is known of one run of an operation that changes something. Instants are epoch ms. */
export interface AuditRecord {
  readonly id: string;
  readonly operation: string;
  /** As it would be typed; a long one is cut. */
  readonly command: string;
  readonly user: string;
  readonly host: string;
  /** The profile that named the broker; null without one. */
  readonly profile: string | null;
  readonly at: number;
  readonly endedAt: number | null;
  /** `running` stays when the process died. */
  readonly end: 'running' | 'done' | 'failed' | 'stopped';
  /** Jobs that the plan counted. */
  readonly planned: number;
  /** Jobs that were changed, as the operation told; null when it counts none. */
  readonly changed: number | null;
  readonly error: string | null;
  /** Where what it changed is kept; null when nothing is. */
  readonly bundle: Omit<KeptBundle, 'id'> | null;
  /** The run that undid it. */
  readonly undoneBy: string | null;
}

const PREFIX = 'audit/';
const DAY_MS = 86_400_000;
const KEEP_MS = 90 * DAY_MS;
/** Older ones go first. */
const MAX_RECORDS = 10_000;
/** Are removed at once, so that not every run has to. */
const SLACK = 100;
const MAX_TEXT = 2000;

/**
 * The records of all runs that changed something on a broker, kept with it for 90 days, 10,000 at most. Run ids sort by time, and so do
 * their keys.
 */
export class AuditLog {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** Writes a record, or writes it anew. @returns false where the store has no place for it */
  async write(record: AuditRecord): Promise<boolean> {
    const short = { ...record, command: cut(record.command), error: record.error === null ? null : cut(record.error) };
    return await orFalse(async () => {
      await this.#state.write(PREFIX + record.id, JSON.stringify(short), { ttlMs: KEEP_MS });
    });
  }

  /** Removes the oldest records beyond the number that is kept. */
  async trim(): Promise<void> {
    await orFalse(async () => {
      const surplus = (await this.#state.size(PREFIX)) - MAX_RECORDS;
      if (surplus >= SLACK) await this.#state.removeAll(await this.#state.list(PREFIX, surplus));
    });
  }

  async read(id: string): Promise<AuditRecord | undefined> {
    let entry: StateEntry | undefined;
    await orFalse(async () => {
      entry = await this.#state.read(PREFIX + id);
    });
    return entry === undefined ? undefined : parseRecord(entry.value);
  }

  /** Writes down which run undid this one; null for none. */
  async markUndone(id: string, by: string | null): Promise<void> {
    const record = await this.read(id);
    if (record !== undefined) await this.write({ ...record, undoneBy: by });
  }

  /** The last ones first, page by page. */
  async *list(): AsyncIterable<AuditRecord> {
    let before: string | undefined;
    for (;;) {
      let page: StateEntry[] = [];
      await orFalse(async () => {
        page = await this.#state.listBack(PREFIX, PAGE, before);
      });
      for (const { value } of page) {
        const record = parseRecord(value);
        if (record !== undefined) yield record;
      }
      before = page.at(-1)?.key;
      if (page.length < PAGE) return;
    }
  }
}

const PAGE = 200;

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function parseRecord(text: string): AuditRecord | undefined {
  try {
    return JSON.parse(text) as AuditRecord;
  } catch {
    return undefined;
  }
}

/** A store of plain BullMQ may have no place for what tq adds; what is asked for there is done without a record. */
async function orFalse(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof TqError && error.code === 'BROKER_UNSUITABLE') return false;
    throw error;
  }
}
