/** On average, a job that is shorter than this spends less time in its child than on its way there and back. */
const SHORT_MS = 2;
/** The weight of the latest job in the average. One job of 32 ms ends the haste, and some tens of short ones bring it back. */
const WEIGHT = 1 / 16;

/**
 * Whether the jobs of a pool are so short that children would mostly wait for them. Then it pays to take jobs ahead of a
 * free child. With longer jobs it would only keep them from other workers.
 */
export class Haste {
  #meanMs = SHORT_MS;
  #isOn = false;

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Hears how long a job took. @returns whether `isOn` has changed */
  note(durationMs: number): boolean {
    this.#meanMs += (durationMs - this.#meanMs) * WEIGHT;
    return this.#set(this.#meanMs < SHORT_MS);
  }

  /** A job that was taken ahead has waited in vain: all children are busy with longer ones. */
  end(): boolean {
    this.#meanMs = Math.max(this.#meanMs, 2 * SHORT_MS);
    return this.#set(false);
  }

  #set(isOn: boolean): boolean {
    const changes = isOn !== this.#isOn;
    this.#isOn = isOn;
    return changes;
  }
}
