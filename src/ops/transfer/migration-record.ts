import type { Broker } from '../../engine/broker/port.ts';

/** How a queue was before a migration paused it. */
export interface QueueBefore {
  /** It was paused in the source: then it stays so in the target. */
  readonly source: boolean;
  /** It was paused in the target. */
  readonly target: boolean;
}

interface MigrationRecord {
  readonly queues: Readonly<Record<string, QueueBefore>>;
  /** The queues of the target work again: how they are is looked up anew by the next run. */
  readonly isDone: boolean;
}

/**
 * What a migration must know of how things were, also after it was killed and is run again. It stands in the state of the source, under the
 * id of the target, and is written before anything is paused.
 */
export class MigrationMemory {
  readonly #state: Broker['state'];
  readonly #key: string;
  #queues: Record<string, QueueBefore> = {};

  private constructor(state: Broker['state'], key: string) {
    this.#state = state;
    this.#key = key;
  }

  /**
   * Reads what an earlier run has left, and adds the queues that are new to it.
   *
   * @param targetId the id that the target keeps of itself
   * @returns the memory, and the queues that this run is the first to pause
   */
  static async begin(
    { source, target }: { readonly source: Broker; readonly target: Broker },
    targetId: string,
    queues: readonly string[],
  ): Promise<{ memory: MigrationMemory; fresh: string[] }> {
    const memory = new MigrationMemory(source.state, `migration/${targetId}`);
    const entry = await source.state.read(memory.#key);
    const earlier = entry === undefined ? undefined : (JSON.parse(entry.value) as MigrationRecord);
    const fresh: string[] = [];
    memory.#queues = { ...earlier?.queues };
    for (const name of queues) {
      const known = Object.hasOwn(memory.#queues, name) ? memory.#queues[name] : undefined;
      if (known !== undefined && earlier?.isDone === false) continue;
      const [isPaused, targetIsPaused] = await Promise.all([isPausedIn(source, name), isPausedIn(target, name)]);
      // What is paused because an earlier run has left it so was not paused by its owner.
      const wasPaused = isPaused && (known?.source ?? true);
      if (!isPaused) fresh.push(name);
      memory.#queues[name] = { source: wasPaused, target: targetIsPaused };
    }
    await memory.#write(false);
    return { memory, fresh };
  }

  /** How a queue was before the first run. */
  before(queue: string): QueueBefore {
    return this.#queues[queue] ?? { source: false, target: false };
  }

  /** These queues are as they were. */
  async forget(queues: readonly string[]): Promise<void> {
    for (const name of queues) delete this.#queues[name];
    await this.#write(false);
  }

  async finish(): Promise<void> {
    await this.#write(true);
  }

  async #write(isDone: boolean): Promise<void> {
    await this.#state.write(this.#key, JSON.stringify({ queues: this.#queues, isDone } satisfies MigrationRecord));
  }
}

async function isPausedIn(broker: Broker, queue: string): Promise<boolean> {
  return (await broker.queue(queue).status(0)).paused;
}
