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
 *    meanwhile, and reads are answered from what is stored. An operation that has waited for the busy timeout fails with
 *    DATABASE_LOCKED; nothing of it was stored.
 * 7. A read that takes long is run alone (`submitAlone`): in one transaction with a write of its turn it would hold the write lock.
 *
 * A result is given only after its commit: what is acknowledged is in the file.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #options: GroupCommitOptions;
  readonly #transaction: Transaction;
  #pending: Pending[] = [];
  /** Reads that go alone and have not run yet. */
  #alone = 0;
  #isScheduled = false;
  /** Another process holds the lock: the last flush could not get it. */
  #isLocked = false;
  /** Monotonic, in milliseconds. */
  #lockedSince = 0;
  #dataVersion: number | undefined;
  #othersWroteAt = Number.NEGATIVE_INFINITY;
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
      const since = this.#options.clock.monotonic();
      this.#pending.push({ writes, since, operation, resolve: resolve as (result: unknown) => void, reject });
      if (!writes && this.#isLocked) this.#readAside();
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => this.#flush(0));
    });
  }

  /** @param read changes nothing, and sees what is stored: not what was submitted in the same turn before it */
  submitAlone<Result>(read: Operation<Result>): Promise<Result> {
    this.#alone += 1;
    return new Promise<Result>((resolve, reject) => {
      setImmediate(() => {
        this.#alone -= 1;
        const outcome = this.#readAlone(read);
        // Even a read is locked out while another process recovers the file: it takes its turn among the others.
        if (outcome === undefined) this.submit(false, read).then(resolve, reject);
        else if (outcome.error === undefined) resolve(outcome.result as Result);
        else reject(outcome.error);
        this.#tellIdle();
      });
    });
  }

  /** @returns undefined when the file is locked */
  #readAlone(operation: Operation<unknown>): Outcome | undefined {
    const pending = { writes: false, operation };
    try {
      return this.#commit([pending])[0];
    } catch (error) {
      return isLockedError(error) ? undefined : { error: explain(this.#options.path, error) };
    }
  }

  /** When it was last seen that another process had written, by the monotonic clock. */
  get othersWroteAt(): number {
    return this.#othersWroteAt;
  }

  /** Resolves when everything that was submitted has its answer. */
  async whenIdle(): Promise<void> {
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#pending.length === 0 && !this.#isScheduled && this.#alone === 0;
  }

  #tellIdle(): void {
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #flush(pauses: number): void {
    const batch = this.#pending.splice(0, MOST_AT_ONCE);
    try {
      this.#run(batch);
      this.#isLocked = false;
    } catch (error) {
      if (isLockedError(error)) {
        if (!this.#isLocked) this.#lockedSince = this.#options.clock.monotonic();
        this.#isLocked = true;
        this.#pending = [...this.#stillPatient(batch), ...this.#pending];
        this.#readAside();
        if (this.#pending.length > 0) {
          this.#tryAgain(pauses);
          return;
        }
      } else {
        const reason = explain(this.#options.path, error);
        for (const { reject } of batch) reject(reason);
      }
    }
    this.#isScheduled = this.#pending.length > 0;
    if (this.#isScheduled) setImmediate(() => this.#flush(0));
    else this.#tellIdle();
  }

  /** A timer is coarse beside the time that a lock is held, and who looks more seldom than another one goes without it. */
  #tryAgain(pauses: number): void {
    if (this.#options.clock.monotonic() - this.#lockedSince < LOOK_MS) setImmediate(() => this.#flush(pauses));
    else setTimeout(() => this.#flush(pauses + 1), pauseMs(pauses));
  }

  /** Those of a batch that may wait longer for the lock; the others are told that they have waited enough. */
  #stillPatient(batch: readonly Pending[]): Pending[] {
    const now = this.#options.clock.monotonic();
    return batch.filter(({ since, reject }) => {
      const waitedMs = Math.round(now - since);
      if (waitedMs < this.#options.busyTimeoutMs) return true;
      reject(lockedTooLong(this.#options.path, waitedMs));
      return false;
    });
  }

  /** While the lock is another's: answers the reads, which need none, and leaves the writes in line. */
  #readAside(): void {
    setImmediate(() => {
      if (!this.#isLocked) return;
      const reads = this.#pending.filter(({ writes }) => !writes);
      if (reads.length === 0) return;
      this.#pending = this.#pending.filter(({ writes }) => writes);
      try {
        this.#run(reads);
      } catch (error) {
        // Even a read is locked out while another process recovers the file.
        if (isLockedError(error)) this.#pending.push(...this.#stillPatient(reads));
        else for (const { reject } of reads) reject(explain(this.#options.path, error));
      }
    });
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

  #commit(batch: readonly Pick<Pending, 'writes' | 'operation'>[]): Outcome[] {
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
      if (dataVersion !== this.#dataVersion) {
        if (this.#dataVersion !== undefined) this.#othersWroteAt = this.#options.clock.monotonic();
        transaction.forget();
      }
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
  /** Monotonic, in milliseconds. */
  readonly since: number;
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

/**
 * The lock is mostly held for less: what waits for it looks at each turn of the event loop for so long, then after pauses. With twice the
 * time eight processes on two cores got a tenth less done.
 */
const LOOK_MS = 1.5;

/** Spread, so that processes do not march in step. */
function pauseMs(pauses: number): number {
  return Math.min(1 + pauses, 10) * (0.5 + Math.random());
}
