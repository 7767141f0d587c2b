/**
 * Watches over one worker: whether its broker answers, and whether it takes the jobs that it should.
 *
 * 1. `start` when the worker takes jobs; from then on it looks several times within the limit, by a timer that does not keep
 *    the process alive.
 * 2. A look asks the broker when no job was taken since the last one. One that does not answer within its patience is lost: a
 *    server that is frozen keeps its connections, and nothing else would notice.
 * 3. `stop` when the worker stops. What was known stays readable.
 */
import type { Logger } from 'pino';
import type { Broker } from '../../broker/port.ts';
import type { Clock } from '../../core/clock.ts';
import { TqError } from '../../core/errors.ts';
import { createFetchWatch, type FetchLook, type FetchWatch } from './fetch-watch.ts';
import type { HealthFacts } from './health.ts';

export interface HealthMonitorOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For so long jobs must have waited beside free slots before the fetch counts as stuck, in milliseconds. */
  readonly limitMs: number;
  /** The queues that the worker serves now. */
  readonly listQueues: () => readonly string[];
  readonly hasFreeSlot: () => boolean;
}

/** So many looks within the limit. */
const LOOKS = 4;

export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #watch: FetchWatch;
  #broker: HealthFacts['broker'];
  #fetch: HealthFacts['fetch'];
  #taken = 0;
  #takenAtLastLook = 0;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** A look has found the broker lost, and another one will find it again; the connections know nothing of it. */
  #isSilent = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    this.#watch = createFetchWatch(options.limitMs);
    const since = options.clock.now();
    this.#broker = { isUp: true, since };
    this.#fetch = { isStuck: false, since };
  }

  get broker(): HealthFacts['broker'] {
    return this.#broker;
  }

  get fetch(): HealthFacts['fetch'] {
    return this.#fetch;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), Math.ceil(this.#options.limitMs / LOOKS));
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  noteTaken(): void {
    this.#taken += 1;
  }

  noteBrokerLost(): void {
    this.#broker = { isUp: false, since: this.#options.clock.now() };
  }

  noteBrokerUp(): void {
    this.#broker = { isUp: true, since: this.#options.clock.now() };
  }

  /** Never rejects: a broker that cannot be asked gives no reason to suspect the fetch. */
  async look(): Promise<void> {
    // The store may hold an answer back for longer than the pause between two looks.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const shouldTake = await this.#shouldTake().catch((error) => this.#noteFailure(error));
      this.#takenAtLastLook = this.#taken;
      this.#judge(shouldTake);
    } finally {
      this.#isLooking = false;
    }
  }

  async #shouldTake(): Promise<FetchLook['shouldTake']> {
    const { broker, clock, listQueues, hasFreeSlot } = this.#options;
    if (!this.#broker.isUp && !this.#isSilent) return 'unknown';
    if (this.#taken !== this.#takenAtLastLook) return false;
    for (const name of listQueues()) {
      const queue = broker.queue(name);
      const hasWork = await queue.hasWork(clock.now());
      this.#noteAnswer();
      if (hasWork && !(await queue.isHeldBack())) return hasFreeSlot();
    }
    return false;
  }

  #noteFailure(error: unknown): 'unknown' {
    if (error instanceof TqError && error.code === 'BROKER_UNAVAILABLE' && this.#broker.isUp) {
      this.#isSilent = true;
      this.noteBrokerLost();
      this.#options.logger.error({ err: error }, 'the broker does not answer');
    }
    return 'unknown';
  }

  #noteAnswer(): void {
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.noteBrokerUp();
    this.#options.logger.info('the broker answers again');
  }

  #judge(shouldTake: FetchLook['shouldTake']): void {
    const { clock, logger, listQueues } = this.#options;
    const news = this.#watch.look({ taken: this.#taken, shouldTake, at: clock.monotonic() });
    if (news.kind === 'nothing') return;
    this.#fetch = { isStuck: news.kind === 'stuck', since: clock.now() };
    if (news.kind === 'stuck') {
      logger.error(
        { queues: listQueues(), stuck_ms: Math.round(news.forMs) },
        'jobs wait, slots are free and the broker answers, but this worker takes none: restart it, and report what the log says before this line',
      );
    } else {
      logger.info({ stuck_ms: Math.round(news.forMs) }, 'the worker takes jobs again, or none waits any more');
    }
  }
}
