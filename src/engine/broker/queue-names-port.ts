/**
 * Finding the queues that other BullMQ clients made, in a store that has no list of queues and more keys than each reader can walk. One
 * worker does it for all (worker/queue-name-walk.ts).
 */
export interface QueueNames {
  /** Whether readers rely on a walk, and the last one was long enough ago. */
  isWalkDue(): Promise<boolean>;
  /**
   * Walks all keys in small steps and writes down which queues there are. Gives after each step how long it took, in ms; whoever asks
   * for the next one decides when it comes. Nothing is written when it is not walked to its end.
   */
  walk(): AsyncIterable<number>;
}
