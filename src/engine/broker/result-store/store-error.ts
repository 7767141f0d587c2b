import { createError, messageOf, TqError } from '../../core/errors.ts';

/** A row cannot be stored for what is in it: writing it again is of no use. */
export class RowRefused extends Error {
  override readonly name = 'RowRefused';
}

/**
 * What a driver threw, in words an operator can act on.
 *
 * @param url masked
 * @param doing what a person would call it: `writing 12 results`
 * @param otherwise what to do next where the error does not say
 */
export function toResultsError(
  error: unknown,
  url: string,
  doing: string,
  otherwise = 'check host, port, firewall and that the server is up',
): Error {
  if (error instanceof TqError || error instanceof RowRefused) return error;
  const text = `${(error as { code?: unknown } | null)?.code ?? ''} ${messageOf(error)}`;
  const reason = (messageOf(error).split('\n')[0] ?? '') || String((error as { code?: unknown } | null)?.code ?? '');
  return createError(
    'RESULTS_UNAVAILABLE',
    { url, doing, reason: reason || 'no answer', next: nextOf(text) ?? otherwise },
    error,
  );
}

function nextOf(text: string): string | undefined {
  if (/ECONNREFUSED/.test(text)) return 'is it running, and does it listen on this host and port?';
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'the host name is not known here: check its spelling and the DNS';
  if (/password|28P01|28000/i.test(text)) return 'check the user name and the password in the URL';
  if (/3D000/.test(text)) return 'create the database first, or check its name in the URL';
  if (/42P01|42703|3F000/.test(text)) return 'run `tq migrate` with the same --results once';
  if (/42501/.test(text)) return 'give its user the right to read and write the table of results';
  if (/53100|disk is full/.test(text)) return 'free space on its disk; workers go on by themselves';
  if (/certificate|self.signed|SSL|TLS/i.test(text)) return 'check sslmode in the URL against what the server speaks';
  return undefined;
}

export function unsuitable(url: string, reason: string, remedy: string, cause?: unknown): Error {
  return createError('RESULTS_UNSUITABLE', { url, reason, remedy }, cause);
}

/** @param found the version of the tables, null when there are none */
export function assertVersion(url: string, found: number | null, needed: number): void {
  if (found === needed) return;
  if (found !== null && found > needed) {
    const reason = `its tables have version ${found}, this tq knows up to ${needed}`;
    throw unsuitable(url, reason, 'upgrade tq on this machine');
  }
  const reason =
    found === null
      ? 'it has no table of results yet'
      : `its table of results has version ${found}, this tq needs ${needed}`;
  throw unsuitable(url, reason, 'run `tq migrate` with the same --results once');
}
