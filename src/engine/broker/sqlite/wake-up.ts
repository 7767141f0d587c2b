import { type FSWatcher, watch } from 'node:fs';
import type { Connection } from './connection.ts';
import { isLockedError } from './database-error.ts';

/** How often the file is asked for changes when no watch tells of them, and as the net below the watch. */
const POLL_INTERVAL_MS = 100;

/** A watch speaks with every page that is written; it is listened to at most this often. */
const WATCH_PAUSE_MS = 1;

/** A reader is locked out only while another process opens, recovers or vacuums the file. */
const LOCKED_PAUSE_MS = 10;

/** The watch is closed when nobody has waited for so long. */
const WATCH_LINGER_MS = 2000;

/**
 * Waits for changes of the file.
 *
 * Changes of this process are told by `signal`, at once. Those of others are seen by a watch of the write-ahead log, which
 * every commit appends to, and below it by asking SQLite's data_version ten times a second: where the platform's watch is
 * late or missing (network file systems, some containers' mounts) a job starts up to 100 ms later.
 *
 * With nobody waiting there is no watch and no timer.
 */
export class WakeUps {
  readonly #connection: Connection;
  readonly #walPath: string | null;
  readonly #waiters = new Set<Waiter>();
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  #throttle: NodeJS.Timeout | undefined;
  #dataVersion: number | undefined;

  /** @param path of the database, or `:memory:`, which no other process can change */
  constructor(connection: Connection, path: string) {
    this.#connection = connection;
    this.#walPath = path === ':memory:' ? null : `${path}-wal`;
  }

  /**
   * Resolves with the first answer of `look` that is not undefined, or with undefined at the deadline or when the signal
   * aborts.
   *
   * @param topic what to be signalled for
   * @param look reads the database; asked at once, at each signal, at each change by others, and when `dueInMs` is over
   * @param dueInMs when, in milliseconds from now, `look` may answer without a change; undefined for never
   * @param timeoutMs at most this long; Infinity for ever
   */
  wait<Answer>(request: WaitRequest<Answer>): Promise<Answer | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer | undefined>();
    if (request.signal?.aborted) return Promise.resolve(undefined);
    let deadline: NodeJS.Timeout | undefined;
    let due: NodeJS.Timeout | undefined;
    const settle = (end: () => void): void => {
      clearTimeout(deadline);
      clearTimeout(due);
      request.signal?.removeEventListener('abort', give);
      this.#remove(waiter);
      end();
    };
    const give = (): void => settle(() => resolve(undefined));
    const look = (): void => {
      clearTimeout(due);
      try {
        const answer = request.look();
        if (answer !== undefined) {
          settle(() => resolve(answer));
          return;
        }
        const dueInMs = request.dueInMs?.();
        if (dueInMs !== undefined) due = setTimeout(look, Math.min(Math.max(1, Math.ceil(dueInMs)), MAX_TIMER_MS));
      } catch (error) {
        if (isLockedError(error)) due = setTimeout(look, LOCKED_PAUSE_MS);
        else settle(() => reject(error));
      }
    };
    const waiter: Waiter = { topic: request.topic, look };
    this.#add(waiter);
    if (request.timeoutMs !== Number.POSITIVE_INFINITY) {
      deadline = setTimeout(give, Math.min(request.timeoutMs, MAX_TIMER_MS));
    }
    request.signal?.addEventListener('abort', give);
    look();
    return promise;
  }

  /** A commit of this process concerns these topics. */
  signal(topics: readonly string[]): void {
    for (const waiter of [...this.#waiters]) if (topics.includes(waiter.topic)) waiter.look();
  }

  /** The path names another file now: watches that one, and has everyone look. */
  restart(): void {
    this.close();
    if (this.#waiters.size === 0) return;
    this.#listen();
    for (const waiter of [...this.#waiters]) waiter.look();
  }

  close(): void {
    clearTimeout(this.#linger);
    clearTimeout(this.#throttle);
    clearInterval(this.#poll);
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#poll = undefined;
    this.#throttle = undefined;
  }

  #add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    if (this.#waiters.size === 1) this.#listen();
  }

  #listen(): void {
    if (this.#walPath === null) return;
    clearTimeout(this.#linger);
    this.#dataVersion = this.#readDataVersion();
    this.#poll ??= setInterval(() => this.#lookForOthers(), POLL_INTERVAL_MS);
    this.#watcher ??= openWatch(this.#walPath, () => this.#heard());
  }

  #remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.close(), WATCH_LINGER_MS);
    this.#linger.unref();
  }

  #heard(): void {
    if (this.#waiters.size === 0 || this.#throttle !== undefined) return;
    this.#lookForOthers();
    this.#throttle = setTimeout(() => {
      this.#throttle = undefined;
      this.#lookForOthers();
    }, WATCH_PAUSE_MS);
    this.#throttle.unref();
  }

  #lookForOthers(): void {
    if (this.#waiters.size === 0) return;
    const dataVersion = this.#readDataVersion();
    if (dataVersion === undefined || dataVersion === this.#dataVersion) return;
    this.#dataVersion = dataVersion;
    for (const waiter of [...this.#waiters]) waiter.look();
  }

  /** Undefined while the file is locked for a moment; the next poll asks again. */
  #readDataVersion(): number | undefined {
    try {
      return this.#connection.dataVersion();
    } catch {
      return undefined;
    }
  }
}

/** Node's timers take at most 2^31 - 1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

export interface WaitRequest<Answer> {
  readonly topic: string;
  readonly look: () => Answer | undefined;
  readonly dueInMs?: () => number | undefined;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

interface Waiter {
  readonly topic: string;
  readonly look: () => void;
}

/** Undefined where files cannot be watched; polling remains. */
function openWatch(path: string, heard: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, heard);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
