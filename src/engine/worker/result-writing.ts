/**
 * The rows of the jobs that a worker has ended, on their way to the result store.
 *
 * 1. `write` is called with an outcome before the broker hears of it, and resolves when its row is stored: an acknowledged job has
 *    its row. What is not the end of a job, or leaves no row, passes at once.
 * 2. Rows that come while others are being written go together in the next write (group commit).
 * 3. A store that is away, slow or full is waited for, with growing pauses. The jobs stay held, their locks are renewed and their
 *    slots are taken, so the worker takes no more than these. The log says so once, and once when the store answers again.
 * 4. A worker that stops calls `abandon` when it hands jobs back: each row has one more try, and the job of one that is not stored
 *    then goes back to its queue and runs again. Twice is better than a lost result. A task with the delivery at-most-once must not
 *    run twice: its outcome goes to the broker without a row, and the log says so.
 *
 * With the pool `prefork` this is done in the parent process.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TakenJob } from '../broker/port.ts';
import type { NewResultRow, ResultStore } from '../broker/result-store/result-port.ts';
import { RowRefused } from '../broker/result-store/store-error.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Outcome } from '../core/job.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { createResultRow } from './result-row.ts';

/** Rows of one write; a batch that is larger in bytes is cut sooner, but holds one row. */
const MAX_ROWS = 500;
const MAX_BYTES = 8 * 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** How long a worker that hands its jobs back waits for a row. */
const LAST_WRITE_MS = 2000;

export interface ResultWritingOptions {
  readonly store: ResultStore;
  /** Arguments are stored, unless their task says otherwise. */
  readonly storeArgs: boolean;
  readonly worker: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

interface Entry {
  row: NewResultRow;
  readonly bytes: number;
  readonly outcome: Outcome;
  /** Stored without what the store has refused. */
  isReduced: boolean;
  isOver: boolean;
  readonly resolve: (outcome: Outcome) => void;
  timer?: NodeJS.Timeout;
}

export class ResultWriting {
  readonly #options: ResultWritingOptions;
  readonly #entries = new Set<Entry>();
  #next: Entry[] = [];
  #isRunning = false;
  #lostAt: number | undefined;
  readonly #abandoned = new AbortController();
  #handedBack = 0;

  constructor(options: ResultWritingOptions) {
    this.#options = options;
  }

  /** Jobs that have ended and wait for their rows. */
  get waiting(): number {
    return this.#entries.size;
  }

  /** Jobs that went back to their queues because their rows could not be stored. */
  get handedBack(): number {
    return this.#handedBack;
  }

  /** Never rejects. @returns what the broker is to be told: the outcome, or `released` when its row could not be stored */
  write(job: TakenJob, outcome: Outcome): Outcome | Promise<Outcome> {
    const row = createResultRow(job, outcome, this.#options);
    if (row === undefined) return outcome;
    return new Promise((resolve) => {
      const bytes = (row.argsJson?.length ?? 0) + (row.resultJson?.length ?? 0);
      const entry: Entry = { row, bytes, outcome, isReduced: false, isOver: false, resolve };
      this.#entries.add(entry);
      this.#next.push(entry);
      if (this.#abandoned.signal.aborted) this.#limit(entry);
      if (!this.#isRunning) void this.#run();
    });
  }

  /** The worker hands its jobs back: what cannot be stored now is not waited for. */
  abandon(): void {
    this.#abandoned.abort();
    for (const entry of this.#entries) this.#limit(entry);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Jobs that end in the same turn of the event loop go together.
    await nextTurn();
    while (this.#next.length > 0) await this.#store(this.#take([]));
    this.#isRunning = false;
  }

  /** Fills a batch up with what waits. */
  #take(batch: readonly Entry[]): Entry[] {
    const taken = batch.filter(({ isOver }) => !isOver);
    let bytes = taken.reduce((sum, entry) => sum + entry.bytes, 0);
    let count = 0;
    for (const entry of this.#next) {
      bytes += entry.bytes;
      if (taken.length >= MAX_ROWS || (bytes > MAX_BYTES && taken.length > 0)) break;
      if (!entry.isOver) taken.push(entry);
      count += 1;
    }
    this.#next = count === this.#next.length ? [] : this.#next.slice(count);
    return taken;
  }

  async #store(first: Entry[]): Promise<void> {
    let batch = first;
    for (let failures = 0; batch.length > 0; failures += 1) {
      const isLastTry = this.#abandoned.signal.aborted;
      try {
        await this.#options.store.write(listRows(batch));
        this.#noteAnswer();
        for (const entry of batch) this.#end(entry, entry.outcome);
        return;
      } catch (error) {
        if (error instanceof RowRefused) return await this.#storeApart(batch, error);
        this.#noteLoss(error as Error);
        if (isLastTry) for (const entry of batch) this.#giveUp(entry);
        else await this.#pause(failures);
        batch = this.#take(batch);
      }
    }
  }

  /** One row is refused for what is in it: the others need not suffer for it, and it is stored as far as it can be. */
  async #storeApart(batch: readonly Entry[], error: RowRefused): Promise<void> {
    const { logger } = this.#options;
    const [only] = batch;
    if (only === undefined || batch.length > 1) {
      for (const entry of batch) await this.#store([entry]);
      return;
    }
    const { id, task, queue } = only.row;
    const fields = { task_id: id, task_name: task, queue, err: error };
    if (only.isReduced) {
      logger.error(fields, 'the result store refuses the row of a job; its result is in the broker alone');
      this.#end(only, only.outcome);
      return;
    }
    logger.error(
      fields,
      'the result store refuses the arguments or the result of a job; its row is stored without them',
    );
    only.isReduced = true;
    const reason = `stored without arguments and result: ${messageOf(error)}`;
    only.row = { ...only.row, argsJson: null, resultJson: null, progressJson: null, reason };
    await this.#store([only]);
  }

  #end(entry: Entry, outcome: Outcome): void {
    if (entry.isOver) return;
    entry.isOver = true;
    clearTimeout(entry.timer);
    this.#entries.delete(entry);
    entry.resolve(outcome);
  }

  #limit(entry: Entry): void {
    entry.timer ??= setTimeout(() => this.#giveUp(entry), LAST_WRITE_MS);
  }

  #giveUp(entry: Entry): void {
    if (entry.isOver) return;
    const { tasks, logger } = this.#options;
    const { id, task, queue } = entry.row;
    const fields = { task_id: id, task_name: task, queue };
    if (tasks.get(task)?.delivery === 'at-most-once') {
      logger.error(
        fields,
        'the result of a job that must not run again could not be stored; it is in the broker alone',
      );
      this.#end(entry, entry.outcome);
      return;
    }
    logger.warn(fields, 'the result could not be stored: the job goes back to its queue and runs again');
    this.#handedBack += 1;
    this.#end(entry, { kind: 'released' });
  }

  #noteLoss(error: Error): void {
    if (this.#lostAt !== undefined) return;
    const { clock, logger } = this.#options;
    this.#lostAt = clock.monotonic();
    logger.error({ err: error, waiting: this.waiting }, `${error.message}; jobs wait until their results are stored`);
  }

  #noteAnswer(): void {
    if (this.#lostAt === undefined) return;
    const { clock, logger } = this.#options;
    logger.info({ down_ms: Math.round(clock.monotonic() - this.#lostAt) }, 'the result store answers again');
    this.#lostAt = undefined;
  }

  /** Ends at once when the worker hands its jobs back. */
  #pause(failures: number): Promise<void> {
    const { signal } = this.#abandoned;
    if (signal.aborted) return Promise.resolve();
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, longest * (0.5 + this.#options.random() / 2));
      signal.addEventListener('abort', end);
    });
  }
}

/** A job that was taken twice may be there twice: the later attempt counts, and a statement can write each row once. */
function listRows(batch: readonly Entry[]): NewResultRow[] {
  const rows = new Map<string, NewResultRow>();
  for (const { row } of batch) {
    const key = `${row.queue} ${row.id}`;
    const other = rows.get(key);
    if (other === undefined || row.startedAt > other.startedAt) rows.set(key, row);
  }
  return [...rows.values()];
}
