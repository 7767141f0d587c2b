import type { Child } from './child.ts';

/** How long a job may wait for a child before other workers get it. */
const WAIT_MS = 250;

type Waiting = (child: Child | undefined) => void;

/** Children without a job, and jobs without a child: one of the two is always empty. */
export class IdleChildren {
  /** The one that was offered last goes first: it is the warmest. */
  #idle: Child[] = [];
  #lookAt = 8;
  readonly #waiting: Waiting[] = [];
  readonly #onTimeout: () => void;

  /** @param onTimeout a job has waited in vain */
  constructor(onTimeout: () => void) {
    this.#onTimeout = onTimeout;
  }

  /** Gives a child to the job that has waited longest, or keeps it. */
  offer(child: Child): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting(child);
      return;
    }
    if (this.#idle.length >= this.#lookAt) {
      // Those that died or left while they were kept here are forgotten from time to time.
      this.#idle = this.#idle.filter(({ isIdle }) => isIdle);
      this.#lookAt = 2 * this.#idle.length + 8;
    }
    this.#idle.push(child);
  }

  /** A child at once, if there is one. */
  take(): Child | undefined {
    for (let child = this.#idle.pop(); child !== undefined; child = this.#idle.pop()) {
      // One that died or left while it was kept here.
      if (child.isIdle) return child;
    }
    return undefined;
  }

  /** The next child that is offered; undefined when none came in time, or after `giveUp`. */
  wait(): Promise<Child | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = (child) => {
        clearTimeout(timer);
        resolve(child);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        resolve(undefined);
        this.#onTimeout();
      }, WAIT_MS);
      this.#waiting.push(waiting);
    });
  }

  /** Lets all jobs go that wait now. */
  giveUp(): void {
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
  }
}
