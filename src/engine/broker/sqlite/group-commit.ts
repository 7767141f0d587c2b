import type { Clock } from '../../core/clock.ts';
import type { Connection } from './connection.ts';
import { explain, isLockedError, lockedTooLong } from './database-error.ts';
import { isRefusal } from './refusal.ts';
import { Transaction } from './transaction.ts';

/**
 * Runs operations in transactions, all that arrive in one turn of the event loop in the same one.
 *
 * 1. `submit` queues an operation and sees to it that a flush follows once the turn's callbacks are through.
 * 2. A flush takes the write lock (or none, if nothing writes), runs the operations in the order in which they came,
 *    stores the queues' rows and commits. Then each caller gets its own result.
 * 3. An operation that refuses (refusal.ts) does so before it writes, so the others go on.
 * 4. An operation that fails in the middle undoes the transaction. The operations are run again, each in one of its own,
 *    so that the guilty one alone fails.
 * 5. A transaction takes at most a thousand operations, so that a flood holds neither the event loop nor the lock for long.
 * 6. When another process holds the lock, the flush is tried again after a pause, outside of SQLite: the event loop goes on
 *    meanwhile. Past the busy timeout all that wait fail with DATABASE_LOCKED; nothing of them was stored.
 *
 * A result is given only after its commit: what is acknowledged is in the file.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #options: GroupCommitOptions;
  readonly #transaction: Transaction;
  #pending: Pending[] = [];
  #isScheduled = false;
  #dataVersion: number | undefined;
  #idle: (() => void)[] = [];

  constructor(connection: Connection, options: GroupCommitOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#transaction = new Transaction(connection);
  }

  /**
   * @param writes whether the operation may change anything; a read never waits for the write lock
   * @param operation works synchronously; it refuses before its first change or not at all
   */
  submit<Result>(writes: boolean, operation: Operation<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#pending.push({ writes, operation, resolve: resolve as (result: unknown) => void, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => this.#flush(this.#options.clock.monotonic(), 0));
    });
  }

  /** Resolves when everything that was submitted has its answer. */
  async whenIdle(): Promise<void> {
    if (this.#pending.length === 0 && !this.#isScheduled) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #flush(since: number, attempt: number): void {
    const batch = this.#pending.splice(0, MOST_AT_ONCE);
    try {
      this.#run(batch);
    } catch (error) {
      const waitedMs = Math.round(this.#options.clock.monotonic() - since);
      if (isLockedError(error) && waitedMs < this.#options.busyTimeoutMs) {
        this.#pending = [...batch, ...this.#pending];
        setTimeout(() => this.#flush(since, attempt + 1), pauseMs(attempt));
        return;
      }
      const reason = isLockedError(error)
        ? lockedTooLong(this.#options.path, waitedMs)
        : explain(this.#options.path, error);
      for (const { reject } of batch) reject(reason);
    }
    this.#isScheduled = this.#pending.length > 0;
    if (this.#isScheduled) setImmediate(() => this.#flush(this.#options.clock.monotonic(), 0));
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** @throws what the lock or the disk did, with nothing stored and nobody answered */
  #run(batch: readonly Pending[]): void {
    let outcomes: Outcome[];
    try {
      outcomes = this.#commit(batch);
    } catch (error) {
      if (isLockedError(error) || batch.length === 1) throw error;
      this.#runOneByOne(batch);
      return;
    }
    const signals = this.#transaction.takeSignals();
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.error !== undefined) reject(outcome.error);
      else resolve(outcome?.result);
    }
    if (signals.length > 0) this.#options.onSignals(signals);
  }

  #runOneByOne(batch: readonly Pending[]): void {
    for (const [index, pending] of batch.entries()) {
      try {
        this.#run([pending]);
      } catch (error) {
        if (isLockedError(error)) {
          // The lock was lost to another process in between: the rest goes back to the front of the line.
          this.#pending = [...batch.slice(index), ...this.#pending];
          return;
        }
        pending.reject(explain(this.#options.path, error));
      }
    }
  }

  #commit(batch: readonly Pending[]): Outcome[] {
    const connection = this.#connection;
    const transaction = this.#transaction;
    if (this.#options.followFile()) {
      transaction.forget();
      this.#dataVersion = undefined;
    }
    const writes = batch.some((pending) => pending.writes);
    try {
      if (writes) connection.beginWrite();
      else connection.beginRead();
      const dataVersion = connection.dataVersion();
      if (dataVersion !== this.#dataVersion) transaction.forget();
      this.#dataVersion = dataVersion;
      transaction.begin(writes);
      const outcomes = batch.map(({ operation }) => attempt(transaction, operation));
      transaction.save();
      connection.commit();
      return outcomes;
    } catch (error) {
      transaction.forget();
      connection.rollback();
      throw error;
    }
  }
}

/** Operations of one transaction. */
const MOST_AT_ONCE = 1000;

export interface GroupCommitOptions {
  /** For errors. */
  readonly path: string;
  readonly clock: Clock;
  /** How long an operation may wait for the file's write lock. */
  readonly busyTimeoutMs: number;
  /** Sees to it that the connection is to the file that the path names; says whether it had to be changed. */
  readonly followFile: () => boolean;
  /** Called after a commit with the topics whose waiters have something to look at. */
  readonly onSignals: (topics: readonly string[]) => void;
}

export type Operation<Result> = (transaction: Transaction) => Result;

interface Pending {
  readonly writes: boolean;
  readonly operation: Operation<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome =
  | { readonly result: unknown; readonly error?: undefined }
  | { readonly error: unknown; readonly result?: undefined };

function attempt(transaction: Transaction, operation: Operation<unknown>): Outcome {
  try {
    return { result: operation(transaction) };
  } catch (error) {
    if (isRefusal(error)) return { error };
    throw error;
  }
}

/** Short at first, for the lock is mostly held for less than a millisecond; spread, so that processes do not march in step. */
function pauseMs(attempt: number): number {
  return Math.min(1 + attempt, 10) * (0.5 + Math.random());
}
