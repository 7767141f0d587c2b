import type { Logger } from 'pino';
import type { Broker, JobBrief } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import type { DueFiring } from './chain-keeping.ts';
import { DueTimes } from './due-times.ts';
import { Repetition, type SetTimer } from './repetition.ts';

export interface StartWatchOptions {
  readonly broker: Pick<Broker, 'queue'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long after its due time, and its jitter, a firing is to have started. */
  readonly startWithinMs: number;
  readonly everyMs: number;
  /** A firing that is late is looked at again so often. */
  readonly lookMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  readonly leads: () => boolean;
  readonly onTrouble: (error: unknown) => void;
}

/** More firings are not kept in mind: the first of them are enough to know that nobody works. */
const MOST = 50_000;
/** Firings of one round trip. */
const PAGE = 500;

/**
 * Watches over whether firings start: warns once of each that has not when it should have, with what is in its way. A firing that is
 * gone or has ended has started, or somebody has taken it away.
 */
export class StartWatch {
  readonly #options: StartWatchOptions;
  readonly #watching: Repetition;
  readonly #firings = new Map<string, DueFiring>();
  readonly #times = new DueTimes();
  readonly #late = new Set<string>();

  constructor(options: StartWatchOptions) {
    this.#options = options;
    this.#watching = new Repetition({ ...options, act: () => this.#look() });
  }

  /** Entries with a firing that is late. */
  get overdue(): number {
    return new Set([...this.#late].map((id) => this.#firings.get(id)?.entry.name)).size;
  }

  start(): Promise<void> {
    return this.#watching.start();
  }

  stop(): Promise<void> {
    return this.#watching.stop();
  }

  add(firing: DueFiring): void {
    if (this.#firings.size >= MOST) return;
    this.#firings.set(firing.jobId, firing);
    this.#times.set(firing.jobId, this.#startsBy(firing));
  }

  clear(): void {
    this.#firings.clear();
    this.#times.clear();
    this.#late.clear();
  }

  #startsBy({ dueAt, entry }: DueFiring): number {
    return dueAt + entry.definition.schedule.jitterMs + this.#options.startWithinMs;
  }

  async #look(): Promise<number> {
    const { clock, everyMs, leads } = this.#options;
    if (!leads()) return everyMs;
    const ids = this.#times.takeUntil(clock.now());
    const firings = ids.flatMap((id) => this.#firings.get(id) ?? []);
    const byQueue = Map.groupBy(firings, ({ entry }) => entry.definition.queue);
    try {
      for (const [queue, ofQueue] of byQueue) {
        for (let from = 0; from < ofQueue.length; from += PAGE)
          await this.#lookAt(queue, ofQueue.slice(from, from + PAGE));
      }
    } catch (error) {
      for (const { jobId } of firings) this.#times.set(jobId, clock.now());
      throw error;
    }
    return everyMs;
  }

  async #lookAt(name: string, firings: readonly DueFiring[]): Promise<void> {
    const { broker, clock, lookMs, logger } = this.#options;
    const queue = broker.queue(name);
    const briefs = await queue.listBriefs(firings.map(({ jobId }) => jobId));
    const waiting = new Map(briefs.filter(isUnstarted).map((brief) => [brief.id, brief]));
    const isNew = firings.some(({ jobId }) => waiting.has(jobId) && !this.#late.has(jobId));
    const status = isNew ? await queue.status(clock.now()) : undefined;
    for (const firing of firings) {
      const { jobId, entry, dueAt } = firing;
      const brief = waiting.get(jobId);
      if (brief === undefined) {
        this.#firings.delete(jobId);
        this.#late.delete(jobId);
        continue;
      }
      this.#times.set(jobId, clock.now() + lookMs);
      if (this.#late.has(jobId) || status === undefined) continue;
      this.#late.add(jobId);
      const lateMs = clock.now() - dueAt;
      const facts = {
        entry: entry.name,
        due: new Date(dueAt).toISOString(),
        late_ms: lateMs,
        job_id: jobId,
        queue: name,
      };
      const why = findObstacle(brief, status);
      const text = `entry "${entry.name}" was due ${formatDuration(lateMs)} ago and has not started: ${why}`;
      logger.warn(facts, `${text}; \`tq why ${jobId}\` says more`);
    }
  }
}

function isUnstarted({ phase, attempts }: JobBrief): boolean {
  return (phase === 'waiting' || phase === 'scheduled') && attempts === 0;
}

function findObstacle(
  { phase, queue }: JobBrief,
  status: { readonly paused: boolean; readonly consumers: number },
): string {
  if (status.paused) return `queue "${queue}" is paused`;
  if (status.consumers === 0) return `no worker serves queue "${queue}"`;
  if (phase === 'scheduled') return 'its task is paused or at a limit';
  return `the workers of queue "${queue}" have not come to it`;
}
