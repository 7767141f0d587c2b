/**
 * What the engine needs of a result store: a table that holds one row for each job that has ended, and outlives the broker.
 *
 * Every store keeps the same promises (test/engine/broker/result-store/contract.test.ts):
 *
 * 1. `write` returns once all rows are stored; if it throws, none or all of them may be, and writing them again is harmless.
 * 2. Of two rows of one job, that of the attempt which was started later stays, whichever is written last.
 * 3. Readers do not see a row whose time is over.
 * 4. Nothing throws a store's own error: what a person can meet is a TqError of the catalogue.
 *
 * BullMQ numbers the jobs of each queue by itself, so a row is known by its id and its queue.
 */
import type { StoredError } from '../../core/job.ts';
import type { JobState } from '../../core/state.ts';
import type { Migration } from '../port.ts';

export type FinalState = Extract<JobState, 'SUCCESS' | 'FAILURE' | 'REVOKED' | 'IGNORED'>;

/** Instants are epoch milliseconds of the worker's clock. */
interface RowFacts {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: FinalState;
  readonly error: StoredError | null;
  /** Why a REVOKED or IGNORED job ended. */
  readonly reason: string | null;
  readonly attempts: number;
  readonly createdAt: number;
  /** When the last attempt was taken. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Of the last attempt. */
  readonly durationMs: number;
  readonly worker: string;
  readonly requestId: string;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly workflowId: string | null;
  /** Readers do not see it from then on; null when it has no end of its own. */
  readonly expiresAt: number | null;
}

/** A row to write. What is JSON is given as text, so that it is written once. */
export interface NewResultRow extends RowFacts {
  /** Null when they are withheld. */
  readonly argsJson: string | null;
  readonly resultJson: string | null;
  readonly progressJson: string | null;
}

export interface ResultRow extends RowFacts {
  /** Null when they are withheld. */
  readonly args: readonly unknown[] | null;
  readonly result: unknown;
  readonly progress: unknown;
}

export type TextColumn =
  | 'id'
  | 'queue'
  | 'task'
  | 'state'
  /** Name and message, as in `TypeError: no`. */
  | 'error'
  | 'reason'
  | 'worker'
  | 'requestId'
  | 'parentId'
  | 'rootId'
  | 'workflowId';

export type NumberColumn = 'attempts' | 'durationMs' | 'finishedAt';

/**
 * Which rows are wanted. A column that is null fits no condition, so a `not` around one fits it.
 *
 * - `like`: `*` stands for any characters, `?` for one, and case counts;
 * - `contains`: letters from A to Z may be in any case.
 */
export type RowFilter =
  | { readonly kind: 'all' | 'any'; readonly filters: readonly RowFilter[] }
  | { readonly kind: 'not'; readonly filter: RowFilter }
  | { readonly kind: 'is' | 'like' | 'contains'; readonly column: TextColumn; readonly text: string }
  | { readonly kind: 'present'; readonly column: TextColumn | NumberColumn }
  | {
      readonly kind: 'compare';
      readonly column: NumberColumn;
      readonly operator: '=' | '>' | '>=' | '<' | '<=';
      readonly value: number;
    };

export interface ResultSort {
  readonly column: 'finishedAt' | 'createdAt' | 'durationMs';
  readonly descending: boolean;
}

export interface ResultPage {
  readonly filter?: RowFilter;
  readonly sort: ResultSort;
  /** The last row of the page before. */
  readonly after?: Pick<ResultRow, 'id' | 'queue' | ResultSort['column']>;
  readonly limit: number;
}

export interface Purge {
  /** Rows of jobs that had ended by then go. Epoch ms. */
  readonly finishedBy?: number | undefined;
  /** So many stay, the last to end. */
  readonly keep?: number | undefined;
  /** Rows to remove at most. */
  readonly limit: number;
}

export interface ResultStore {
  readonly kind: 'postgres' | 'sqlite';
  /** Masked: fit for a screen or a log. */
  readonly url: string;
  /**
   * Stores rows, each of another job.
   *
   * @throws ROW_REFUSED when a row cannot be stored for what is in it, RESULTS_UNAVAILABLE for every other reason
   */
  write(rows: readonly NewResultRow[]): Promise<void>;
  /** The rows of an id: one, or one a queue for the numbers that BullMQ gives. */
  read(id: string, queue?: string): Promise<ResultRow[]>;
  listPage(page: ResultPage): Promise<ResultRow[]>;
  /** @returns how many there were */
  remove(id: string, queue?: string): Promise<number>;
  /** Removes rows whose time is over, and what else is asked for. @returns how many; fewer than the limit when none is left */
  purge(options: Purge): Promise<number>;
  /** Creates or upgrades its tables. */
  migrate(): Promise<Migration>;
  /** What the store is: `PostgreSQL 18.4`, `SQLite 3.53`. */
  describe(): Promise<string>;
  close(): Promise<void>;
}

/** A store, and the first contact with it. */
export interface OpenedResultStore {
  readonly store: ResultStore;
  /** Makes sure that it answers and that its tables fit. */
  connect(doing: string): Promise<void>;
}
