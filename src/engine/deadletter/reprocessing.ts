import { BULK_PAGE, type DeadJob } from '../broker/bulk-port.ts';
import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { FailureList, type JobFailure } from '../core/failure-list.ts';
import type { JobRecord } from '../core/job-record.ts';
import type { Rate } from '../core/rate.ts';
import { formatReprocessNote } from '../core/reprocess-note.ts';
import { RecordSlices } from '../jobs/record-slices.ts';
import type { JobPage, SeenJob } from '../jobs/seen-job.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { type DataPatch, patchData } from './data-patch.ts';
import { OutcomeWatch } from './outcome-watch.ts';
import { Pace } from './pace.ts';

export interface ReprocessOptions {
  /** Deaths after this instant, epoch ms, are not taken: so nothing that is put back and dies again is taken twice. */
  readonly diedBy: number;
  /** At most so many. */
  readonly first?: number | undefined;
  readonly rate?: Rate | undefined;
  /** Stops when more than so many percent of the reprocessed jobs fail. */
  readonly stopIfFailingPercent?: number | undefined;
  /** How long to wait for outcomes when nothing comes to anything, in ms. Default a minute. */
  readonly patienceMs?: number | undefined;
  /** The queue that they go to; default that which holds them. */
  readonly queue?: string | undefined;
  readonly patch?: DataPatch | undefined;
}

export interface ReprocessSurroundings {
  readonly broker: Broker;
  readonly clock: Clock;
  /** Ends it between two steps. */
  readonly signal: AbortSignal;
  /** What the log row of each job calls the run. */
  readonly run: string;
  /** The task of a job, to check patched arguments by; undefined without the app. */
  readonly taskOf: (name: string) => TaskDefinition | undefined;
  /** Keeps jobs as they were, before they are changed. */
  readonly keeper?: ReprocessKeeper | undefined;
  readonly onProgress: (reprocessed: number) => void;
}

export interface ReprocessKeeper {
  /** @param after the queue that they go to, and the data that they are given, by their ids */
  keep(
    records: readonly JobRecord[],
    after: { readonly queue: string; readonly data: Readonly<Record<string, string>> },
  ): Promise<void>;
  /** Those of them that were not changed. */
  left(records: readonly JobRecord[]): void;
}

/** Why it ended before all was done. */
export type ReprocessStop = 'failing' | 'idle' | 'stopped' | 'error';

export interface ReprocessReport {
  /** Dead letters that were looked at. */
  readonly matched: number;
  /** Those that went back to work. */
  readonly reprocessed: number;
  /** Those that were left alone; at most a hundred are named. */
  readonly failed: readonly JobFailure[];
  readonly failedCount: number;
  readonly stop: ReprocessStop | undefined;
  /** With the stop `error`. */
  readonly error: unknown;
  /** What was seen of the reprocessed jobs, when they were watched. */
  readonly outcomes: { readonly succeeded: number; readonly failed: number; readonly pending: number } | undefined;
}

const DEFAULT_PATIENCE_MS = 60_000;

/**
 * Puts dead letters back to work: with the same id, arguments and priority, and all their attempts. Each goes back at most once,
 * whoever else does the same: it must still be the dead letter, of the same death, that was seen.
 *
 * @throws what the broker or `keep` throws before anything was put back; later it ends with the stop `error`
 */
export async function reprocess(
  pages: AsyncIterable<JobPage>,
  options: ReprocessOptions,
  surroundings: ReprocessSurroundings,
): Promise<ReprocessReport> {
  const run = new Reprocessing(options, surroundings);
  try {
    await run.takeAll(pages);
  } catch (error) {
    if (run.reprocessed === 0) throw error;
    return run.report('error', error);
  }
  return run.report(run.stop, null);
}

class Reprocessing {
  matched = 0;
  reprocessed = 0;
  stop: ReprocessStop | undefined;
  readonly #failed = new FailureList();
  readonly #options: ReprocessOptions;
  readonly #around: ReprocessSurroundings;
  readonly #pace: Pace | undefined;
  readonly #watch: OutcomeWatch | undefined;
  readonly #slices = new RecordSlices();

  constructor(options: ReprocessOptions, around: ReprocessSurroundings) {
    const { rate, stopIfFailingPercent, patienceMs = DEFAULT_PATIENCE_MS } = options;
    const { broker, clock } = around;
    this.#options = options;
    this.#around = around;
    this.#pace = rate === undefined ? undefined : new Pace(rate, clock);
    this.#watch =
      stopIfFailingPercent === undefined
        ? undefined
        : new OutcomeWatch({ broker, clock, failingPercent: stopIfFailingPercent, patienceMs });
  }

  async takeAll(pages: AsyncIterable<JobPage>): Promise<void> {
    for await (const { queue, jobs } of pages) {
      const dead = jobs.filter(
        ({ state, finishedAt }) => state === 'FAILURE' && (finishedAt ?? 0) <= this.#options.diedBy,
      );
      await this.#takePage(queue, dead);
      if (this.stop !== undefined || this.#left === 0) break;
    }
    if (this.#around.signal.aborted) this.stop ??= 'stopped';
    if (this.stop === undefined) this.stop = await this.#watch?.wait(this.#around.signal, true);
  }

  async #takePage(queue: string, dead: readonly SeenJob[]): Promise<void> {
    for (let at = 0; at < dead.length && this.#left > 0; ) {
      this.stop ??= await this.#makeRoom();
      if (this.stop !== undefined) return;
      const step = Math.min(this.#pace?.step ?? BULK_PAGE, this.#watch?.room ?? BULK_PAGE, BULK_PAGE, this.#left);
      const part = dead.slice(at, at + step);
      if (this.#pace !== undefined && !(await this.#pace.turn(part.length, this.#around.signal))) {
        this.stop = 'stopped';
        return;
      }
      at += part.length;
      this.matched += part.length;
      await this.#take(queue, part);
      this.#around.onProgress(this.reprocessed);
    }
  }

  get #left(): number {
    return (this.#options.first ?? Number.POSITIVE_INFINITY) - this.matched;
  }

  async #makeRoom(): Promise<ReprocessStop | undefined> {
    if (this.#around.signal.aborted) return 'stopped';
    return this.#watch?.room === 0 ? await this.#watch.wait(this.#around.signal) : undefined;
  }

  /** Whole jobs are read when they are kept or patched, in slices that fit the memory. */
  async #take(queue: string, jobs: readonly SeenJob[]): Promise<void> {
    const { broker, keeper } = this.#around;
    if (keeper === undefined && this.#options.patch === undefined) {
      await this.#send(
        queue,
        jobs.map((job) => this.#prepare(job)),
      );
      return;
    }
    const seen = new Map(jobs.map((job) => [job.id, job]));
    for await (const records of this.#slices.read(broker.queue(queue).bulk, [...seen.keys()])) {
      const prepared = await this.#prepareAll(seen, records);
      for (const { id } of records) seen.delete(id);
      const ids = new Set(prepared.map(({ id }) => id));
      const kept = records.filter(({ id }) => ids.has(id));
      const data = prepared.flatMap(({ id, data: next }): [string, string][] =>
        next === undefined ? [] : [[id, next]],
      );
      await keeper?.keep(kept, { queue: this.#options.queue ?? queue, data: Object.fromEntries(data) });
      const went = await this.#send(queue, prepared);
      keeper?.left(kept.filter(({ id }) => !went.has(id)));
    }
    for (const id of seen.keys()) this.#failed.add(id, 'no queue holds it any more');
  }

  /** @returns those that went back */
  async #send(queue: string, jobs: readonly DeadJob[]): Promise<Set<string>> {
    const { broker } = this.#around;
    const { queue: target = queue } = this.#options;
    const ids = jobs.map(({ id }) => id);
    const there = new Set(target === queue ? ids : await broker.queue(queue).bulk.move(ids, target, ['dead']));
    const done = await broker.queue(target).bulk.reprocess(jobs.filter(({ id }) => there.has(id)));
    this.reprocessed += done.length;
    this.#watch?.add(target, done);
    const went = new Set(done);
    for (const id of ids) if (!went.has(id)) this.#failed.add(id, this.#whyNot(there.has(id), target));
    return went;
  }

  #whyNot(wasThere: boolean, target: string): string {
    if (!wasThere)
      return `it could not be moved to queue "${target}": it is part of a flow, or somebody else has touched it`;
    return 'somebody else has touched it meanwhile';
  }

  async #prepareAll(seen: ReadonlyMap<string, SeenJob>, records: readonly JobRecord[]): Promise<DeadJob[]> {
    const { patch } = this.#options;
    const prepared: DeadJob[] = [];
    for (const { id, task, data } of records) {
      const job = seen.get(id);
      if (job === undefined) continue;
      try {
        const change =
          patch === undefined
            ? {}
            : { data: (await patchData(data, patch, { id, definition: this.#around.taskOf(task) })).data };
        prepared.push({ ...this.#prepare(job), ...change });
      } catch (error) {
        this.#failed.add(id, messageOf(error));
      }
    }
    return prepared;
  }

  #prepare({ id, finishedAt, error, attempts }: SeenJob): DeadJob {
    const { run, clock } = this.#around;
    const cause = error === null ? '' : `: ${error.name}: ${error.message.split('\n', 1)[0]}`;
    const had = `had died after ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}${cause}`;
    const note = formatReprocessNote({ at: clock.now(), by: run }, had);
    return { id, note, ...(finishedAt !== null && { finishedAt }) };
  }

  report(stop: ReprocessStop | undefined, error: unknown): ReprocessReport {
    const watch = this.#watch;
    return {
      matched: this.matched,
      reprocessed: this.reprocessed,
      failed: this.#failed.named,
      failedCount: this.#failed.count,
      stop,
      error,
      outcomes:
        watch === undefined ? undefined : { succeeded: watch.succeeded, failed: watch.failed, pending: watch.pending },
    };
  }
}
