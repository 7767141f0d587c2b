/** One entry of the event log of a queue, as BullMQ wrote it. */
export interface RawEntry {
  readonly queue: string;
  /** Its id in the log of its queue; later ones come after it. */
  readonly position: string;
  /** Epoch ms. */
  readonly at: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** The event logs of all queues of a store, read together. Each store has its own way. */
export interface EventLogReader {
  /**
   * Finds the place in the logs to begin at. To be called once before the first read; after a failure again.
   *
   * @throws what the store throws
   */
  start(): Promise<void>;
  /**
   * The entries that follow those given before, at most about a thousand. Waits a while for some; there may be none.
   *
   * @throws what the store throws. Called again, it goes on where it was.
   */
  read(signal: AbortSignal): Promise<readonly RawEntry[]>;
  /** Ends what is its own, also while the store is away. */
  close(): Promise<void>;
}

/** About as many entries as one read gives, of all queues together. */
const ENTRIES_AT_ONCE = 1000;
const LEAST_OF_QUEUE = 10;

/** How many entries one read asks of each of so many queues. */
export function shareOf(queues: number): number {
  return Math.max(LEAST_OF_QUEUE, Math.floor(ENTRIES_AT_ONCE / Math.max(1, queues)));
}

/** How often queues that are new are looked for. */
export const LOOK_FOR_QUEUES_MS = 1000;

/** What was read of one queue, in the order of its log. */
export interface QueueLog {
  readonly entries: readonly RawEntry[];
  /** The log may go on: as many entries were found as were asked for. */
  readonly hasMore: boolean;
}

/**
 * The entries of several logs in the order of their instants; within a queue the order of its log stays, whatever its clock
 * did. A log that goes on bounds what is given of the others: what comes after the last entry that was read of it has to
 * wait, and is read again.
 */
export function mergeLogs(logs: readonly QueueLog[]): RawEntry[] {
  const dated = logs.map(({ entries, hasMore }) => {
    let latest = Number.NEGATIVE_INFINITY;
    const rows = entries.map((entry) => {
      latest = Math.max(latest, entry.at);
      return { entry, at: latest };
    });
    return { rows, end: hasMore ? latest : Number.POSITIVE_INFINITY };
  });
  const end = Math.min(...dated.map((log) => log.end));
  return dated
    .flatMap(({ rows }) => rows.filter(({ at }) => at <= end))
    .sort((a, b) => a.at - b.at)
    .map(({ entry }) => entry);
}
