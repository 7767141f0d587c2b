import type { ErrorCode, ErrorText } from '../engine/core/error-catalogue.ts';
import { createError, type TqError } from '../engine/core/errors.ts';
import { escapeControl } from '../engine/core/escape.ts';

const REFUSALS: readonly unknown[] = ['FILE_REFUSED', 'EMAIL_REFUSED', 'ALERT_REFUSED'] satisfies ErrorCode[];

/**
 * Whether a built-in task has refused its input: a retry would be refused again, so the policies of these tasks except it.
 * Judged by the code and not by the class, so that it also holds for an error of a second copy of the package.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && REFUSALS.includes((error as Partial<ErrorText> & { code?: unknown }).code);
}

/**
 * @param doing what the task was at, for example `reading a picture`
 * @param path as the caller gave it; control characters are made visible
 */
export function fileRefusal(facts: { doing: string; path: string; reason: string }, cause?: unknown): TqError {
  return createError('FILE_REFUSED', { ...facts, path: escapeControl(facts.path) }, cause);
}

/** @param to the recipients, for people; control characters are made visible */
export function emailRefusal(to: string, reason: string, cause?: unknown): TqError {
  return createError('EMAIL_REFUSED', { to: escapeControl(to), reason: escapeControl(reason) }, cause);
}

/** File errors that the same call would meet again. All others (EMFILE, EBUSY, ENOSPC, EIO...) can pass and are retried. */
const LASTING: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'the worker has no permission',
  EPERM: 'the worker has no permission',
  EROFS: 'the file system is read-only',
  ELOOP: 'it leads through too many links',
  ENAMETOOLONG: 'its name is too long',
  EEXIST: 'a part of its path is a file',
};

/** A refusal in place of a file error that lasts; the error itself when it can pass. */
export function lastingFileError(error: unknown, facts: { doing: string; path: string }): unknown {
  const reason = LASTING[(error as NodeJS.ErrnoException | null)?.code ?? ''];
  return reason === undefined ? error : fileRefusal({ ...facts, reason }, error);
}
