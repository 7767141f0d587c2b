import type { StateStore } from '../broker/state-port.ts';
import { isRecord } from '../core/envelope.ts';
import { type JobState, STATES } from '../core/state.ts';

const RUNS = 'schedule/run/';

/** The key of the record of an entry in the state of the broker. */
export function runRecordKey(entry: string): string {
  return RUNS + entry;
}

/** The latest firing of an entry that a worker has started. Instants are epoch ms. */
export interface RunRecord {
  readonly jobId: string;
  /** Of a firing by hand, when it was asked for. */
  readonly dueAt: number;
  /** Of its latest attempt. */
  readonly startedAt: number;
  /** STARTED while it runs, RETRY between its attempts, then how it ended. */
  readonly state: JobState;
  /** Null until it has ended. */
  readonly finishedAt: number | null;
  /** Name of the worker that ran its latest attempt. */
  readonly worker: string;
}

export function formatRunRecord(record: RunRecord): string {
  return JSON.stringify({ v: 1, ...record });
}

/** @returns undefined for what another version or another hand wrote: an entry is as good without its last run */
export function parseRunRecord(text: string): RunRecord | undefined {
  const stored = readJson(text);
  if (!isRecord(stored) || stored.v !== 1) return undefined;
  const { jobId, dueAt, startedAt, state, finishedAt, worker } = stored;
  if (typeof jobId !== 'string' || typeof worker !== 'string' || !isNumber(dueAt) || !isNumber(startedAt)) {
    return undefined;
  }
  const known = STATES.find((one) => one === state);
  if (known === undefined || !(finishedAt === null || isNumber(finishedAt))) return undefined;
  return { jobId, dueAt, startedAt, state: known, finishedAt, worker };
}

/**
 * What became of the latest firing of each entry, in the state of the broker. Workers write it when a firing starts and when it ends;
 * views read it, and so does a firing that must not overlap with the one before. It is lost with the entry, and by nothing else.
 */
export class RunRecords {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** @returns in the order of the names; undefined for an entry that never ran */
  async read(names: readonly string[]): Promise<(RunRecord | undefined)[]> {
    const found = await Promise.all(names.map((name) => this.#state.read(RUNS + name)));
    return found.map((entry) => entry && parseRunRecord(entry.value));
  }

  /**
   * Writes what became of a firing, unless one that was due later has been written: firings may end in another order than they began in.
   *
   * @param entry its name
   * @returns whether it was written
   */
  async note(entry: string, record: RunRecord): Promise<boolean> {
    const text = formatRunRecord(record);
    for (;;) {
      const before = await this.#state.read(RUNS + entry);
      const other = before && parseRunRecord(before.value);
      if (other !== undefined && other.dueAt > record.dueAt) return false;
      if (before?.value === text) return true;
      const expected = before?.version ?? null;
      if ((await this.#state.write(RUNS + entry, text, { expected })) !== undefined) return true;
    }
  }

  /** For `replace`. @returns no record where there is none, or none that can be read; the version is null where nothing is stored */
  async readVersion(entry: string): Promise<{ readonly record?: RunRecord; readonly version: string | null }> {
    const found = await this.#state.read(RUNS + entry);
    const record = found && parseRunRecord(found.value);
    return { version: found?.version ?? null, ...(record !== undefined && { record }) };
  }

  /**
   * Writes in place of what was read: of several workers that have read the same, one does.
   *
   * @param version of `readVersion`
   * @returns whether it still was there, and was replaced
   */
  async replace(entry: string, record: RunRecord, version: string | null): Promise<boolean> {
    return (await this.#state.write(RUNS + entry, formatRunRecord(record), { expected: version })) !== undefined;
  }

  async remove(entry: string): Promise<void> {
    await this.#state.remove(RUNS + entry);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
