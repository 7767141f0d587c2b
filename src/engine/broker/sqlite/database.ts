import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock.ts';
import { Connection } from './connection.ts';
import { explain } from './database-error.ts';
import { type DatabaseFile, openDatabaseFile, readIdentity } from './database-file.ts';
import { returnSpace } from './free-space.ts';
import { GroupCommit, type Operation } from './group-commit.ts';
import { type WaitRequest, WakeUps } from './wake-up.ts';

export interface DatabaseOptions extends DatabaseFile {
  readonly busyTimeoutMs: number;
  readonly clock: Clock;
}

/** How often the path is looked up, to see whether it still names the file that is open. */
const IDENTITY_CHECK_MS = 1000;

/**
 * One open database, shared by all queues of this process that name the same file: one connection, one line of
 * transactions, one watch. It is opened by the first user and closed by the last.
 *
 * A file that is removed takes its jobs with it; whoever has it open goes on, within a second, with the file that is then
 * at the path, and makes it if there is none. Otherwise a worker would wait for ever on a file that nobody else can reach.
 */
export class Database {
  readonly path: string;
  readonly clock: Clock;
  /** For reads outside of a transaction. */
  readonly connection: Connection;
  readonly #commits: GroupCommit;
  readonly #wakeUps: WakeUps;
  readonly #options: DatabaseOptions;
  readonly #closing = new AbortController();
  #tidying: Promise<void> | undefined;
  #identity: string | undefined;
  #checkedAt = 0;

  constructor(options: DatabaseOptions) {
    this.path = options.path;
    this.clock = options.clock;
    this.#options = options;
    this.connection = new Connection(this.#open());
    this.#wakeUps = new WakeUps(this.connection, options.path);
    this.#commits = new GroupCommit(this.connection, {
      path: options.path,
      clock: options.clock,
      busyTimeoutMs: options.busyTimeoutMs,
      followFile: () => this.#followFile(),
      onSignals: (topics) => this.#wakeUps.signal(topics),
    });
  }

  read<Result>(operation: Operation<Result>): Promise<Result> {
    return this.#commits.submit(false, operation);
  }

  /** A read that takes long: it holds up no writer, and sees what is stored. */
  readAlone<Result>(operation: Operation<Result>): Promise<Result> {
    return this.#commits.submitAlone(operation);
  }

  write<Result>(operation: Operation<Result>): Promise<Result> {
    return this.#commits.submit(true, operation);
  }

  /** When it was last seen that another process had written, by the monotonic clock; never, minus infinity. */
  get othersWroteAt(): number {
    return this.#commits.othersWroteAt;
  }

  wait<Answer>(request: WaitRequest<Answer>): Promise<Answer | undefined> {
    return this.#wakeUps.wait(request);
  }

  /** Gives free space back to the disk, beside the work. */
  tidy(): void {
    this.#tidying ??= returnSpace(
      (step) => this.write(step),
      () => this.#checkpoint(),
      this.#closing.signal,
    )
      // The file is locked or the disk is full: whoever comes by next tries again.
      .catch(() => undefined)
      .finally(() => {
        this.#tidying = undefined;
      });
  }

  #checkpoint(): void {
    this.connection.execute('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** Waits for what was submitted, then closes the file. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#tidying;
    await this.#commits.whenIdle();
    this.#wakeUps.close();
    if (this.#isReplaced()) this.connection.abandon();
    else this.connection.close();
  }

  #open(): DatabaseSync {
    try {
      const database = openDatabaseFile(this.#options);
      this.#identity = readIdentity(this.path);
      this.#checkedAt = this.clock.monotonic();
      return database;
    } catch (error) {
      throw explain(this.path, error);
    }
  }

  #isReplaced(): boolean {
    return this.path !== ':memory:' && readIdentity(this.path) !== this.#identity;
  }

  #followFile(): boolean {
    const now = this.clock.monotonic();
    if (now - this.#checkedAt < IDENTITY_CHECK_MS) return false;
    this.#checkedAt = now;
    if (!this.#isReplaced()) return false;
    this.connection.continueWith(this.#open());
    this.#wakeUps.restart();
    return true;
  }
}

const open = new Map<string, { readonly database: Database; users: number }>();

/** One file may be named in several ways. */
function toRealPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** A user's hold on a shared database. */
export interface DatabaseHold {
  readonly database: Database;
  /** Closes the database when this was its last user. Further calls do nothing. */
  release(): Promise<void>;
}

/**
 * Opens a database, or joins those of this process that have it open already. The first one's options hold for all, but
 * `synchronous: 'full'` is granted to whoever asks for it.
 *
 * @throws what `openDatabaseFile` throws
 */
export function holdDatabase(options: DatabaseOptions): DatabaseHold {
  const path = options.path === ':memory:' ? options.path : toRealPath(options.path);
  let entry = open.get(path);
  if (entry === undefined) {
    entry = { database: new Database({ ...options, path }), users: 0 };
    open.set(path, entry);
  } else if (options.synchronous === 'full') {
    entry.database.connection.execute('PRAGMA synchronous = FULL');
  }
  entry.users += 1;
  const held = entry;
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    held.users -= 1;
    if (held.users > 0) return;
    open.delete(path);
    await held.database.close();
  };
  return {
    database: held.database,
    release: () => {
      released ??= release();
      return released;
    },
  };
}
