/**
 * Work that one worker of many does for all, every now and then, such as removing what is too old.
 *
 * Every worker looks once a minute whether it is the one to do it: a lease in the state of the broker says so, which it renews while
 * it works and gives back when it stops. The others take over when it dies, once the lease has run out.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { StateStore } from '../broker/state-port.ts';

const EVERY_MS = 60_000;
const LEASE_MS = 150_000;
const PAUSE_MS = 50;

export interface LeasedChoreOptions {
  readonly state: StateStore;
  readonly logger: Logger;
  readonly worker: string;
  /** How often it looks. Default once a minute. */
  readonly everyMs?: number | undefined;
  /** What the log says when it fails, the first time in a row. */
  readonly complaint: string;
  /** Does it once. */
  readonly act: (turn: ChoreTurn) => Promise<void>;
}

export interface ChoreTurn {
  readonly signal: AbortSignal;
  /** Takes the lease of this key, or renews it. @returns false when another worker has it, or this one is stopping */
  holds(key: string): Promise<boolean>;
  /** Lets others at the store between two batches. */
  pause(): Promise<void>;
}

export class LeasedChore {
  readonly #options: LeasedChoreOptions;
  readonly #holder: string;
  readonly #keys = new Set<string>();
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: LeasedChoreOptions) {
    this.#options = options;
    this.#holder = `${options.worker} ${randomUUID()}`;
  }

  start(): void {
    this.#working ??= this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { everyMs = EVERY_MS, state, logger, act, complaint } = this.#options;
    const { signal } = this.#stopping;
    const turn: ChoreTurn = {
      signal,
      holds: (key) => this.#holds(key),
      pause: () => wait(PAUSE_MS, undefined, { signal }).catch(() => undefined),
    };
    for (;;) {
      await wait(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) break;
      try {
        await act(turn);
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) logger.warn({ err: error }, complaint);
        this.#isFailing = true;
      }
    }
    for (const key of this.#keys) await state.release(key, this.#holder).catch(() => undefined);
  }

  async #holds(key: string): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false;
    const { holder } = await this.#options.state.lease(key, this.#holder, LEASE_MS);
    if (holder !== this.#holder) return false;
    this.#keys.add(key);
    return true;
  }
}
