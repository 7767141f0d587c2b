import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Databases whose file was taken away under them. Closing one, as the garbage collector would, makes SQLite remove the side
 * files by their names, and by then these may be those of the file that has come in its place.
 */
const abandoned: DatabaseSync[] = [];

export type SqlValue = string | number | null;
export type SqlRow = SqlValue[];

/**
 * One connection to a database file: prepared statements, kept by their text, and transactions. Node's SQLite works
 * synchronously, so nothing of this process can come between the statements of one call; other processes can.
 */
export class Connection {
  #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** The first row, its columns in order, or undefined. */
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.#statement(sql).get(...values) as unknown as SqlRow | undefined;
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.#statement(sql).all(...values) as unknown as SqlRow[];
  }

  /** @returns how many rows were changed */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /** For text of several statements, and for what cannot be prepared. */
  execute(sql: string): void {
    this.#database.exec(sql);
  }

  /** Takes the file's one write lock now, so that no later statement of the transaction can be refused for it. */
  beginWrite(): void {
    this.run('BEGIN IMMEDIATE');
  }

  beginRead(): void {
    this.run('BEGIN');
  }

  commit(): void {
    this.run('COMMIT');
  }

  /** SQLite has rolled back by itself after some errors (a full disk), so this may be called in any state. */
  rollback(): void {
    if (this.#database.isTransaction) this.run('ROLLBACK');
  }

  /** Changes when another connection, of this process or of another one, has committed a change. */
  dataVersion(): number {
    return this.get('PRAGMA data_version')?.[0] as number;
  }

  /** Goes on with another database. The one before is not closed: see `abandoned`. */
  continueWith(database: DatabaseSync): void {
    this.abandon();
    this.#database = database;
  }

  /** Lets go of the database without closing it. */
  abandon(): void {
    this.#statements.clear();
    abandoned.push(this.#database);
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
