import type { Clock } from '../../core/clock.ts';
import { createError } from '../../core/errors.ts';
import { formatGiven as given } from '../../core/given.ts';

/** Where a queue's database is, and how it is used; BullMQ's `connection` option for this backend. */
export interface SqliteConnection {
  /** A file, made when it is not there, or `:memory:`, which all queues of the process share. */
  readonly path: string;
  /**
   * `normal` (default): what is acknowledged survives the death of every process; a power cut may take the last moments
   * back. `full`: it survives that too, and each commit waits for the disk.
   */
  readonly synchronous?: 'normal' | 'full';
  /** How long an operation waits for another process that holds the file's write lock, in milliseconds. Default 5000. */
  readonly busyTimeoutMs?: number;
}

export interface OpenOptions extends Required<SqliteConnection> {
  readonly clock: Clock;
}

/**
 * BullMQ's `connection` option, checked: a path alone, or an object.
 *
 * @throws INVALID_OPTION
 */
export function toOpenOptions(connection: unknown, clock: Clock): OpenOptions {
  const options = typeof connection === 'string' ? { path: connection } : connection;
  const { path, synchronous = 'normal', busyTimeoutMs = 5000 } = (options ?? {}) as Partial<SqliteConnection>;
  if (typeof path !== 'string' || path === '') {
    throw createError('INVALID_OPTION', {
      what: 'connection of the SQLite backend',
      expected: "a file, as { path: 'jobs.db' }, or ':memory:'",
      given: given(connection),
    });
  }
  if (synchronous !== 'normal' && synchronous !== 'full') {
    throw createError('INVALID_OPTION', {
      what: 'synchronous',
      expected: "'normal' or 'full'",
      given: given(synchronous),
    });
  }
  if (typeof busyTimeoutMs !== 'number' || !(busyTimeoutMs >= 0)) {
    throw createError('INVALID_OPTION', {
      what: 'busyTimeoutMs',
      expected: 'a number of milliseconds',
      given: given(busyTimeoutMs),
    });
  }
  return { path, synchronous, busyTimeoutMs, clock };
}
