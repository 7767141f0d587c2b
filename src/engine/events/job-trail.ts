import type { JobFacts } from '../broker/event-port.ts';

/** What is known of a job from the entries of its log that were read so far, and from the job itself. */
export interface JobTrail {
  task: string | null;
  requestId: string | null;
  worker: string | null;
  /** Attempts that had been charged when the last entry was written; null until that is known. */
  charged: number | null;
  /** When the attempt that runs was started. */
  startedAt: number | null;
  /** Where the last entry left it. */
  place: 'unknown' | 'added' | 'waiting' | 'running' | 'ended';
  /** The job itself was read at least once. */
  isRead: boolean;
}

/** Trails by queue and id, the latest used ones: a job that is removed when it ends is still told with its task. */
export class JobTrails {
  readonly #capacity: number;
  /** In the order of their last use. */
  readonly #trails = new Map<string, JobTrail>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#trails.size;
  }

  /** The trail of a job, begun when there is none. */
  follow(queue: string, id: string): JobTrail {
    // A queue's name has no colon.
    const key = `${queue}:${id}`;
    const trail = this.#trails.get(key) ?? {
      task: null,
      requestId: null,
      worker: null,
      charged: null,
      startedAt: null,
      place: 'unknown',
      isRead: false,
    };
    this.#trails.delete(key);
    this.#trails.set(key, trail);
    if (this.#trails.size > this.#capacity) {
      const [oldest] = this.#trails.keys();
      if (oldest !== undefined) this.#trails.delete(oldest);
    }
    return trail;
  }
}

/** Takes over what does not change any more, or is the latest. */
export function learn(trail: JobTrail, facts: JobFacts): void {
  trail.isRead = true;
  trail.task ??= facts.task;
  trail.requestId = facts.requestId;
  trail.worker = facts.worker ?? trail.worker;
}

/** How many attempts the job itself counts before the one that it ended with. */
export function chargedBeforeEnd({ attemptsCharged, finishedAt }: JobFacts): number {
  return finishedAt === null ? attemptsCharged : Math.max(0, attemptsCharged - 1);
}
