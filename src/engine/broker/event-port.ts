/**
 * What has happened to jobs, from the event logs that every store keeps of its queues. Producers and workers do nothing for
 * it: BullMQ writes these logs anyway, about the last 10,000 entries a queue.
 *
 * Every store keeps the same promises (test/engine/broker/contract/events.ts):
 *
 * 1. Each entry that is written from the beginning of a feed on is given once, those of one queue in the order of its log.
 * 2. Entries of several queues that were read together come in the order of their instants.
 * 3. A queue that appears meanwhile is read from its beginning; one that vanishes is no error.
 * 4. A store that goes away is waited for, and read on from where the feed was. What its log has dropped by then is lost.
 * 5. Nothing is read before it is asked for, and nothing is written.
 */
export interface JobEvents {
  /** Opens nothing by itself: reading begins with the first batch that is asked for. */
  listen(options: ListenOptions): JobEventFeed;
}

export interface ListenOptions {
  /** Begins at this instant, epoch ms, as far as the logs reach; without it with what happens from now on. */
  readonly since?: number;
  /** Ends the feed, which is then over without an error. */
  readonly signal: AbortSignal;
  /** The feed has its place in the logs: what happens from here on is given. */
  readonly onListening?: () => void;
  /** The store went away; said once for each time. */
  readonly onTrouble?: (error: Error) => void;
  /** The store answers again. */
  readonly onRecovered?: (downMs: number) => void;
}

/** Batches of entries, never empty. A feed is read once, by one reader. */
export interface JobEventFeed extends AsyncIterable<readonly LogEntry[]> {
  /** What the jobs say of themselves now, by their ids; a job that is gone or cannot be read is left out. */
  readFacts(queue: string, ids: readonly string[]): Promise<ReadonlyMap<string, JobFacts>>;
}

/** Where a job was before its queue had it ready. */
export type ReadyFrom = 'new' | 'scheduled' | 'running' | 'ended' | 'blocked';

interface Entry {
  readonly queue: string;
  readonly id: string;
  /** When it was written, epoch ms of the store's clock. */
  readonly at: number;
}

/**
 * - `added`: the job was stored; where it was put follows at once as `ready`, `scheduled` or `blocked`;
 * - `ready`: it waits for a worker;
 * - `scheduled`: it waits for its time;
 * - `blocked`: it waits for its children;
 * - `taken`: a worker has it;
 * - `completed`, `failed`: it ended;
 * - `progress`: its task reported progress.
 */
export type LogEntry = Entry &
  (
    | { readonly kind: 'added'; readonly task: string }
    | { readonly kind: 'ready'; readonly from: ReadyFrom }
    | { readonly kind: 'scheduled'; readonly dueAt: number }
    | { readonly kind: 'blocked' }
    | { readonly kind: 'taken' }
    | {
        readonly kind: 'completed';
        /** Completed with a failure, it is no dead letter. */
        readonly state: 'SUCCESS' | 'IGNORED' | 'REVOKED' | 'FAILURE';
        /** Of a failure, its error: `Name: message`. */
        readonly reason: string | null;
      }
    | { readonly kind: 'failed'; readonly message: string }
    | { readonly kind: 'progress'; readonly progress: unknown }
  );

/** What the log does not hold. */
export interface JobFacts {
  readonly task: string;
  readonly requestId: string | null;
  /** Name of the worker that took it last. */
  readonly worker: string | null;
  /** Attempts that have ended and count as such; handing a job back or putting it back is none. */
  readonly attemptsCharged: number;
  readonly startedAt: number | null;
  /** Null for a job that has not ended, or was put back after it had. */
  readonly finishedAt: number | null;
  /** Of the last attempt that failed, `Name: message`. */
  readonly error: string | null;
  /** Of each attempt that failed, the first line of the same; null when the job does not hold all of them any more. */
  readonly errors: readonly string[] | null;
  /** The delay that it was sent with, in milliseconds. */
  readonly delayMs: number | null;
}
