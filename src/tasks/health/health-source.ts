/** What the check of health asks of the broker and of the workers. The app gives one; what it throws is the reason of a failure. */
export interface HealthSource {
  /** One round trip to the store. */
  ping(): Promise<BrokerPulse>;
  listQueues(): Promise<readonly QueuePulse[]>;
  /** Asks every live worker, and waits so long for those that are silent. */
  listWorkers(timeoutMs: number): Promise<WorkersPulse>;
}

export interface BrokerPulse {
  /** Without its password. */
  readonly url: string;
  /** `Redis 7.0.15`. */
  readonly store: string;
  /** Of the round trip. */
  readonly latencyMs: number;
  /** The folder of its file, for a store that is a file of this machine. */
  readonly folder: string | null;
}

export interface QueuePulse {
  readonly queue: string;
  readonly waiting: number;
  readonly dead: number;
  readonly paused: boolean;
  /** Workers that are connected to it, of any BullMQ client. */
  readonly consumers: number;
  readonly oldestWaitingMs: number | null;
}

export interface WorkersPulse {
  readonly workers: readonly { readonly name: string; readonly problems: readonly string[] }[];
  /** Live by the registry, and without an answer. */
  readonly silent: readonly string[];
}
