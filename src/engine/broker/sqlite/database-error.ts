import { createError, messageOf, TqError } from '../../core/errors.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html) that mean something to an operator. */
const RESULT = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

function resultOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  // Extended codes hold the primary one in their low byte.
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** Somebody else holds the file's lock: worth another try. */
export function isLockedError(error: unknown): boolean {
  const result = resultOf(error);
  return result === RESULT.busy || result === RESULT.locked;
}

/** @param waitedMs how long was waited for the lock */
export function lockedTooLong(path: string, waitedMs: number): Error {
  return createError('DATABASE_LOCKED', { url: `sqlite:${path}`, waitedMs });
}

/** A file that cannot be used as it is. */
export function unsuitable(path: string, error: unknown): Error {
  const url = `sqlite:${path}`;
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    const remedy = 'give this user write permission on the file and its folder, or name another file';
    return createError('BROKER_UNSUITABLE', { url, reason: 'it cannot be written here', remedy }, error);
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') return createError('DATABASE_FULL', { url }, error);
  const remedy = 'check the path; its folder is made when it is not there';
  return createError('BROKER_UNSUITABLE', { url, reason: messageOf(error), remedy }, error);
}

/**
 * What SQLite threw, in words an operator can act on. An error that is not SQLite's passes as it is.
 *
 * @param waitedMs how long a lock was waited for
 */
export function explain(path: string, error: unknown, waitedMs = 0): unknown {
  if (error instanceof TqError) return error;
  const url = `sqlite:${path}`;
  switch (resultOf(error)) {
    case undefined:
      return error;
    case RESULT.busy:
    case RESULT.locked:
      return lockedTooLong(path, waitedMs);
    case RESULT.full:
      return createError('DATABASE_FULL', { url }, error);
    case RESULT.readOnly:
    case RESULT.cannotOpen:
      return createError(
        'BROKER_UNSUITABLE',
        {
          url,
          reason: 'it cannot be written here',
          remedy: 'give this user write permission on the file and its folder, or name another file',
        },
        error,
      );
    case RESULT.notADatabase:
      return createError(
        'BROKER_UNSUITABLE',
        { url, reason: 'the file is not a SQLite database', remedy: 'name another file' },
        error,
      );
    case RESULT.corrupt:
      return createError(
        'BROKER_UNSUITABLE',
        {
          url,
          reason: 'the database is damaged',
          remedy:
            'stop all workers, copy the file, and bring back what can be read with the .recover command of sqlite3',
        },
        error,
      );
    default:
      return createError(
        'BROKER_UNAVAILABLE',
        {
          url,
          doing: 'reading and writing jobs',
          reason: messageOf(error),
          causes: 'check the disk that the file is on',
        },
        error,
      );
  }
}
