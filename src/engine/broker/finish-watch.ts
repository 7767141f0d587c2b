import { QueueEvents } from 'bullmq';
import type { Store } from './store.ts';

/**
 * When the job itself is looked at: an event is lost when it falls between the look and the first read of the stream, when
 * the stream was trimmed, or when the connection broke. The last wait repeats.
 */
const LOOK_AGAIN_MS = [20, 100, 500, 2000, 5000];

/** What is published on a queue's stream when jobs that wait were revoked, whichever they are. */
export const REVOKED_EVENT = 'tq:revoked';

interface Waiter {
  /** Its job has finished. */
  readonly finish: () => void;
  /** Its job may have finished. */
  readonly look: () => void;
}

/**
 * Waits for jobs of one queue to finish, on the store's event stream: one connection however many wait.
 *
 * 1. The first wait opens the stream; the last one leaves it open for the next, `close()` ends it.
 * 2. Each wait first joins the stream, then looks at the job: one that finished in between is seen by the look, one that
 *    finishes later by the stream.
 */
export class FinishWatch {
  readonly #queue: string;
  readonly #store: Store;
  readonly #waiting = new Map<string, Set<Waiter>>();
  #events: QueueEvents | undefined;

  constructor(queue: string, store: Store) {
    this.#queue = queue;
    this.#store = store;
  }

  /**
   * @param isFinished looks at the job
   * @returns false when `timeoutMs` passed first
   */
  async wait(id: string, timeoutMs: number | undefined, isFinished: () => Promise<boolean>): Promise<boolean> {
    if (await isFinished()) return true;
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const look = (): void => {
      isFinished().then((finished) => finished && resolve(true), reject);
    };
    const waiter: Waiter = { finish: () => resolve(true), look };
    this.#join(id, waiter);
    let looks = 0;
    let nextLook: NodeJS.Timeout | undefined;
    const lookAgain = (): void => {
      look();
      nextLook = setTimeout(lookAgain, LOOK_AGAIN_MS[Math.min(looks++, LOOK_AGAIN_MS.length - 1)]);
    };
    const deadline = timeoutMs === undefined ? undefined : setTimeout(() => resolve(false), timeoutMs);
    try {
      await Promise.race([this.#open().waitUntilReady(), promise]);
      lookAgain();
      return await promise;
    } finally {
      clearTimeout(nextLook);
      clearTimeout(deadline);
      this.#leave(id, waiter);
    }
  }

  async close(): Promise<void> {
    // A stream whose store is away cannot say goodbye; its connection is ended with the store's.
    await this.#events?.close().catch(() => undefined);
  }

  #open(): QueueEvents {
    if (this.#events === undefined) {
      const events = new QueueEvents(
        this.#queue,
        { connection: {} as never, prefix: this.#store.prefix },
        this.#store.eventsBackend as never,
      );
      const finished = ({ jobId }: { jobId: string }): void => {
        for (const { finish } of this.#waiting.get(jobId) ?? []) finish();
      };
      events.on('completed', finished);
      events.on('failed', finished);
      events.on(
        REVOKED_EVENT as never,
        (() => {
          for (const waiters of this.#waiting.values()) for (const { look } of waiters) look();
        }) as never,
      );
      // A lost connection is BullMQ's to mend; until then the look every few seconds finds what happened.
      events.on('error', () => {});
      this.#events = events;
    }
    return this.#events;
  }

  #join(id: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(id) ?? new Set();
    waiting.add(waiter);
    this.#waiting.set(id, waiting);
  }

  #leave(id: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(id);
    waiting?.delete(waiter);
    if (waiting?.size === 0) this.#waiting.delete(id);
  }
}
