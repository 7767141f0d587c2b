/**
 * The one way in which a beat does something again and again: the next call comes some time after the one before has ended, so no
 * call meets itself, and what was asked for while it ran is not lost. Time comes from outside, so tests drive months of it.
 */

/** Calls a function once, later. @returns what keeps it from being called */
export type SetTimer = (call: () => Promise<void>, afterMs: number) => () => void;

export interface RepetitionOptions {
  /** Does it once. @returns in how many milliseconds to do it again */
  readonly act: () => Promise<number>;
  /** It failed, and is tried again after `retryMs`. */
  readonly onTrouble: (error: unknown) => void;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
}

export class Repetition {
  readonly #options: RepetitionOptions;
  #cancel: (() => void) | undefined;
  #acting: Promise<void> | undefined;
  #isHurried = false;
  #isStopped = false;

  constructor(options: RepetitionOptions) {
    this.#options = options;
  }

  /** Resolves when it has been done once. Calling it again, or after `stop`, changes nothing. */
  async start(): Promise<void> {
    if (!this.#isStopped && this.#acting === undefined && this.#cancel === undefined) await this.#run();
  }

  /** Does it now, or once more when it is being done. */
  hurry(): void {
    this.#isHurried = true;
    if (this.#acting === undefined && this.#cancel !== undefined) this.#set(0);
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#acting;
  }

  #run(): Promise<void> {
    this.#cancel = undefined;
    this.#acting = this.#act().then((afterMs) => {
      this.#acting = undefined;
      this.#set(this.#isHurried ? 0 : afterMs);
    });
    return this.#acting;
  }

  async #act(): Promise<number> {
    this.#isHurried = false;
    try {
      return await this.#options.act();
    } catch (error) {
      this.#options.onTrouble(error);
      return this.#options.retryMs;
    }
  }

  #set(afterMs: number): void {
    this.#cancel?.();
    if (!this.#isStopped) this.#cancel = this.#options.setTimer(() => this.#run(), afterMs);
  }
}

/** The timers of Node. They keep the process alive: a beat that waits for the next due time is at work. */
export const setNodeTimer: SetTimer = (call, afterMs) => {
  const timer = setTimeout(() => void call(), Math.max(0, afterMs));
  return () => clearTimeout(timer);
};
