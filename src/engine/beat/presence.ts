import type { StateStore } from '../broker/state-port.ts';
import { type LiveBeat, removeLiveBeat, writeLiveBeat } from './live-beats.ts';
import { Repetition, type SetTimer } from './repetition.ts';

export interface PresenceOptions {
  readonly state: StateStore;
  readonly ttlMs: number;
  readonly everyMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  readonly describe: () => LiveBeat;
  readonly onTrouble: (error: unknown) => void;
}

/** Keeps telling that the beat runs, and how it does. */
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
    const { state, describe } = this.#options;
    await removeLiveBeat(state, describe()).catch(() => undefined);
  }

  async #tell(): Promise<number> {
    const { state, ttlMs, everyMs, describe } = this.#options;
    await writeLiveBeat(state, describe(), ttlMs);
    return everyMs;
  }
}
