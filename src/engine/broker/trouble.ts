import { createError, messageOf, TqError } from '../core/errors.ts';

/**
 * Which errors mean "the store is away", as opposed to "the store refused this". The first kind is waited out, the second
 * is final. A wrong guess to the first side costs a wait; to the other side it could fail a job for a broker's restart.
 */
export function isTrouble(error: unknown): boolean {
  return means(error, new Set());
}

function means(error: unknown, seen: Set<unknown>): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TqError) return TROUBLE_CODES.has(error.code);
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && (SOCKET_CODES.has(code) || POSTGRES_CODES.test(code))) return true;
  seen.add(error);
  if (error instanceof AggregateError) return error.errors.some((one) => !seen.has(one) && means(one, seen));
  // Redis refuses a whole transaction for the refusal of one of its commands, which says why. When a connection is cut, ioredis gives
  // all its commands the same error, which so is one of its own.
  const { previousErrors } = error as { previousErrors?: unknown };
  const others: unknown[] = Array.isArray(previousErrors) ? previousErrors.filter((one) => !seen.has(one)) : [];
  if (others.length > 0) return others.some((one) => !seen.has(one) && means(one, seen));
  return TROUBLE_TEXT.test(error.message);
}

/** Of the stores that say it in tq's words themselves. */
const TROUBLE_CODES = new Set<string>(['BROKER_UNAVAILABLE', 'DATABASE_LOCKED', 'DATABASE_FULL']);

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** PostgreSQL: 08 connection exception, 57P0x shutdown and recovery, 53300 too many connections (Appendix A of its manual). */
const POSTGRES_CODES = /^(08...|57P0[1-5]|53300)$/;

const TROUBLE_TEXT =
  /Connection is closed|Command aborted due to connection close|Connection terminated|Stream isn't writeable|Cluster isn't ready|max retries per request|^(LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN|UNBLOCKED)\b|All sentinels are unreachable|None of startup nodes|Failed to refresh slots|timeout exceeded when trying to connect|Query read timeout|is not queryable|Command timed out|the database system is/i;

/** The one line that a person sees when the store cannot be reached, with the usual causes for this kind of error. */
export function unavailable(url: string, doing: string, error: unknown): Error {
  if (error instanceof TqError) return error;
  return createError(
    'BROKER_UNAVAILABLE',
    { url, doing, reason: reasonOf(error), causes: causesOf(error, url) },
    error,
  );
}

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const code = (error as { code?: unknown } | null)?.code;
  return message !== '' ? (message.split('\n')[0] ?? message) : String(code ?? 'no answer');
}

function causesOf(error: unknown, url: string): string {
  const text = `${(error as { code?: unknown } | null)?.code ?? ''} ${messageOf(error)}`;
  if (/ECONNREFUSED/.test(text)) return 'is it running, and does it listen on this host and port?';
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'the host name is not known here: check its spelling and the DNS';
  if (/NOAUTH|WRONGPASS|password|invalid username|28P01|28000/i.test(text)) {
    return 'check the user name and the password in the URL';
  }
  if (/NOPERM/.test(text)) return 'the user may not run the commands of BullMQ: check its ACL';
  if (/DB index/.test(text)) return 'check the database number at the end of the URL';
  // A server without TLS waits for the rest of what it takes for a command.
  const silence = /^(rediss|valkeys)/.test(url) && /ETIMEDOUT|does not answer/.test(text);
  if (silence || /certificate|self.signed|SSL|TLS|EPROTO/i.test(text)) {
    return 'check rediss:// or sslmode against what the server speaks, and give its authority with ?ca=FILE';
  }
  if (/3D000|does not exist/.test(text)) return 'create the database first, or check its name in the URL';
  if (/sentinel/i.test(text)) return 'check the sentinel hosts and the name of the master in the URL';
  if (/slots|CLUSTERDOWN|startup nodes/i.test(text)) return 'check that the nodes form a cluster whose state is ok';
  return 'check host, port, firewall and that the server is up';
}
