import type { Worker } from '../worker/worker.ts';

/** How long a close waits for them while the broker is away; a worker that is made later is given up then. */
const GIVE_UP_MS = 5000;

/**
 * The workers that an app has made. One that is never started holds a name and renews it, which would keep its process alive:
 * it is given up with its app. One that was started is its owner's to stop, as long as that may take.
 */
export class MadeWorkers {
  readonly #made = new Set<Promise<Worker>>();

  /** @returns what it was given */
  add(making: Promise<Worker>): Promise<Worker> {
    this.#made.add(making);
    const forget = (): void => void this.#made.delete(making);
    making.then((worker) => worker.ended.then(forget), forget);
    return making;
  }

  /** Resolves when those that were never started have given back what they hold. Bounded also while the broker is away. */
  async giveUp(): Promise<void> {
    if (this.#made.size === 0) return;
    const given = Promise.all([...this.#made].map((making) => making.then(giveUp, () => undefined)));
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GIVE_UP_MS);
    await Promise.race([given, tooLate]);
    clearTimeout(timer);
  }
}

async function giveUp(worker: Worker): Promise<void> {
  if (!worker.isStarted) await worker.stopNow();
}
