/**
 * Does for entries what chain-judgement.ts says: goes on from firings that are due, puts back what is missing, and enters into the book
 * when to look again. The actors of a beat all come here, each with the names that it is about.
 *
 * 1. The schedulers of the names are read, a page in one round trip a queue.
 * 2. Firings that have come due since are logged, whoever went on from them, and given to the watch over their start.
 * 3. What is to be done is done, many entries at once. Before each change the lease is asked for (leadership.ts).
 *
 * One entry that cannot be kept keeps nobody from the others; a broker that is away ends the page, and its names are looked at again.
 */
import type { Logger } from 'pino';
import type { QueueSchedules, SchedulerState } from '../broker/schedule-port.ts';
import type { Clock } from '../core/clock.ts';
import { TqError } from '../core/errors.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { formatFiringId } from '../core/schedule/firing.ts';
import { nextRun } from '../core/schedule/runs.ts';
import type { ArmOptions } from '../schedule/arming.ts';
import type { BeatTiming } from './beat-timing.ts';
import { type ChainVerdict, judgeChain } from './chain-judgement.ts';
import type { EntryBook, KeptEntry } from './entry-book.ts';

/** Makes the scheduler of an entry (schedule/arming.ts). @returns the due time of its firing ahead; undefined when it has none */
export type ArmEntry = (entry: ScheduleEntry, options: ArmOptions) => Promise<number | undefined>;

/** Removes the scheduler of an entry, unless the entry has changed since it was read (schedule/arming.ts). */
export type DisarmEntry = (entry: ScheduleEntry) => Promise<void>;

/** A firing that has come due. */
export interface DueFiring {
  readonly jobId: string;
  readonly entry: ScheduleEntry;
  readonly dueAt: number;
}

export interface ChainKeepingOptions {
  readonly broker: { queue(name: string): { readonly schedules: QueueSchedules } };
  readonly arm: ArmEntry;
  readonly disarm: DisarmEntry;
  readonly book: EntryBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: BeatTiming;
  readonly leads: () => boolean;
  /** An entry could not be kept; it is tried again. */
  readonly onTrouble: (doing: string, error: unknown) => void;
  readonly onFiring: (firing: DueFiring) => void;
}

/** Entries of one round trip. */
const PAGE = 200;
/** After a step that somebody else was about to take. */
const REREAD_MS = 50;
/** A worker's clock may be ahead by so much, and its entries armed for later, without anything being wrong. */
const CLOCK_SLACK_MS = 5000;

export class ChainKeeping {
  readonly #options: ChainKeepingOptions;

  constructor(options: ChainKeepingOptions) {
    this.#options = options;
  }

  /**
   * Does for each of the entries what is to be done now.
   *
   * @throws BROKER_UNAVAILABLE; they are looked at again
   */
  async keep(names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length && this.#options.leads(); from += PAGE) {
      const page = names.slice(from, from + PAGE);
      try {
        await this.#keepPage(page);
      } catch (error) {
        this.#lookAgain(names.slice(from));
        throw error;
      }
    }
    if (!this.#options.leads()) this.#lookAgain(names);
  }

  async #keepPage(names: readonly string[]): Promise<void> {
    const { book, broker } = this.#options;
    const byQueue = Map.groupBy(names, (name) => book.get(name)?.entry.definition.queue);
    byQueue.delete(undefined);
    await Promise.all(
      [...byQueue].map(async ([queue = '', ofQueue]) => {
        const states = await broker.queue(queue).schedules.read(ofQueue);
        await settleAll(ofQueue.map((name, index) => this.#keepOne(name, states[index])));
      }),
    );
  }

  async #keepOne(name: string, state: SchedulerState | undefined): Promise<void> {
    const { book, onTrouble } = this.#options;
    const kept = book.get(name);
    if (kept === undefined) return;
    try {
      await this.#act(kept, state, this.#judge(kept, state));
    } catch (error) {
      this.#lookAgain([name]);
      if (error instanceof TqError && error.code === 'BROKER_UNAVAILABLE') throw error;
      onTrouble(`keep the schedule entry "${name}"`, error);
    }
  }

  #judge(kept: KeptEntry, state: SchedulerState | undefined): ChainVerdict {
    const { clock, timing } = this.#options;
    const now = clock.now();
    const { entry, isVerified } = kept;
    if (state?.rule !== undefined) this.#note(kept, state, now);
    const wasThere = kept.wasThere === true;
    const isSettled = clock.monotonic() - kept.seenAt >= timing.settleMs;
    const verdict = judgeChain({ entry, state, now, wasThere, isVerified, isSettled });
    if (verdict.kind === 'ahead' || verdict.kind === 'waits' || verdict.kind === 'go-on') kept.isVerified = true;
    return verdict;
  }

  /** What has come due since the entry was looked at last. */
  #note(kept: KeptEntry, state: SchedulerState, now: number): void {
    const { dueAt, made, ahead } = state;
    const { aheadAt, made: madeBefore = made } = kept;
    const isOther = aheadAt !== dueAt;
    if (isOther && aheadAt !== undefined && made > madeBefore)
      this.#noteFiring(kept, aheadAt, now, made - madeBefore - 1);
    if (dueAt <= now && ahead !== 'missing' && ahead !== 'finished') this.#noteFiring(kept, dueAt, now, 0);
    kept.wasThere = dueAt <= now && (ahead !== 'missing' || (!isOther && kept.wasThere === true));
    kept.made = made;
    kept.aheadAt = dueAt;
    if (dueAt > now) this.#compareWithSchedule(kept, state, isOther);
  }

  #noteFiring(kept: KeptEntry, dueAt: number, now: number, more: number): void {
    if (kept.notedAt !== undefined && kept.notedAt >= dueAt) return;
    kept.notedAt = dueAt;
    const { logger, onFiring } = this.#options;
    const { name } = kept.entry;
    const jobId = formatFiringId(name, dueAt);
    const facts = { entry: name, due: new Date(dueAt).toISOString(), late_ms: now - dueAt, job_id: jobId };
    logger.info({ ...facts, ...(more > 0 && { more }) }, `entry "${name}" fired`);
    onFiring({ jobId, entry: kept.entry, dueAt });
  }

  /** Once for each firing ahead, and again when the clock was set back: only then can it have become too late. */
  #compareWithSchedule(kept: KeptEntry, { rule, dueAt, runsBefore, made }: SchedulerState, isOther: boolean): void {
    const { clock, logger } = this.#options;
    const now = clock.now();
    const clockOffset = now - clock.monotonic();
    if (!isOther && clockOffset > (kept.clockOffset ?? clockOffset) - CLOCK_SLACK_MS) return;
    kept.clockOffset = clockOffset;
    const expected = rule && nextRun(rule.schedule, now + CLOCK_SLACK_MS, runsBefore + made - 1);
    if (expected === undefined || expected >= dueAt) return;
    const { name } = kept.entry;
    const facts = { entry: name, next: new Date(dueAt).toISOString(), by_schedule: new Date(expected).toISOString() };
    const message = `entry "${name}" fires later than its schedule says: its last firing came before its time`;
    const cause = 'somebody promoted it, or a clock was ahead';
    logger.warn(facts, `${message} (${cause}); to have it fire sooner, pause and resume it`);
  }

  async #act(kept: KeptEntry, state: SchedulerState | undefined, verdict: ChainVerdict): Promise<void> {
    const { book, clock, timing, arm, disarm, leads, logger } = this.#options;
    const { entry } = kept;
    const { name } = entry;
    const now = clock.now();
    switch (verdict.kind) {
      case 'rest':
        return book.rest(name);
      case 'ahead':
        return book.lookAt(name, verdict.dueAt);
      case 'waits':
        // The longer it has waited, the less is lost by looking later: a paused queue full of them costs little.
        return book.lookAt(name, now + Math.min(timing.lookMs, Math.max(timing.pulseMs, now - verdict.dueAt)));
      case 'unsettled':
        return book.lookAt(name, now + timing.settleMs);
      case 'go-on':
        return await this.#goOn(kept, verdict.from, verdict.steps);
      case 'disarm':
        book.rest(name);
        if (leads()) await disarm(entry);
        return;
      case 'arm': {
        const { since, why } = verdict;
        if (!leads()) return this.#lookAgain([name]);
        const dueAt = await arm(entry, { state, since });
        kept.isVerified = true;
        if (dueAt === undefined) return book.rest(name);
        kept.aheadAt = dueAt;
        kept.clockOffset = clock.now() - clock.monotonic();
        const facts = { entry: name, next: new Date(dueAt).toISOString() };
        logger.warn(facts, `entry "${name}" was armed again: ${why}`);
        return book.lookAt(name, dueAt);
      }
    }
  }

  async #goOn(kept: KeptEntry, from: number, steps: readonly number[]): Promise<void> {
    const { book, broker, leads, clock } = this.#options;
    const { name, definition } = kept.entry;
    let at = from;
    for (const to of steps) {
      if (!leads()) return this.#lookAgain([name]);
      if (!(await broker.queue(definition.queue).schedules.advance(name, at, to))) {
        // Somebody else was first, and where they went is read in a moment; later when nobody went anywhere.
        const isFirstTry = kept.refusedAt !== at;
        kept.refusedAt = at;
        return isFirstTry ? book.lookAt(name, clock.now() + REREAD_MS) : this.#lookAgain([name]);
      }
      at = to;
      kept.aheadAt = to;
      kept.wasThere = false;
      kept.made = (kept.made ?? 0) + 1;
      const now = clock.now();
      kept.clockOffset = now - clock.monotonic();
      if (to <= now) this.#noteFiring(kept, to, now, 0);
    }
    book.lookAt(name, at);
  }

  #lookAgain(names: readonly string[]): void {
    const { book, clock, timing } = this.#options;
    for (const name of names) book.lookAt(name, clock.now() + timing.pulseMs);
  }
}

/** Lets all of them end, so that nothing is under way when the first error is thrown. */
async function settleAll(acts: readonly Promise<void>[]): Promise<void> {
  for (const act of await Promise.allSettled(acts)) if (act.status === 'rejected') throw act.reason;
}
