import { parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { nearestNames } from '../core/nearest.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface RedisAddress {
  readonly kind: 'redis';
  readonly mode: 'single' | 'sentinel' | 'cluster';
  /** The server, the sentinels or the cluster's nodes to begin with. */
  readonly hosts: readonly HostPort[];
  /** Name of the master that the sentinels watch. */
  readonly master: string | undefined;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  /** File with the certificate authority to trust, beside the system's. */
  readonly caFile: string | undefined;
  /** BullMQ's key prefix. */
  readonly prefix: string;
}

export interface PostgresAddress {
  readonly kind: 'postgres';
  /** The URL as `pg` takes it, without tq's own parameters. */
  readonly connectionString: string;
  readonly schema: string;
}

export interface SqliteAddress {
  readonly kind: 'sqlite';
  /** As given, relative to the folder that the process runs in; `:memory:` for one that only this process has. */
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
  /** How long an operation waits for another process that holds the file's write lock. */
  readonly busyTimeoutMs: number;
  /** BullMQ's key prefix. */
  readonly prefix: string;
}

export type BrokerAddress = RedisAddress | PostgresAddress | SqliteAddress;

const REDIS_SCHEMES: Record<string, { mode: RedisAddress['mode']; tls: boolean; port: number }> = {
  redis: { mode: 'single', tls: false, port: 6379 },
  rediss: { mode: 'single', tls: true, port: 6379 },
  'redis+sentinel': { mode: 'sentinel', tls: false, port: 26379 },
  'rediss+sentinel': { mode: 'sentinel', tls: true, port: 26379 },
  'redis+cluster': { mode: 'cluster', tls: false, port: 6379 },
  'rediss+cluster': { mode: 'cluster', tls: true, port: 6379 },
};

const REDIS_PARAMETERS = ['prefix', 'ca'];
const SQLITE_PARAMETERS = ['prefix', 'synchronous', 'busyTimeout'];

/**
 * Reads a broker URL:
 *
 * - `sqlite:PATH`, a file; `sqlite::memory:`
 * - `redis[s]://[user:password@]host[:port][/db]`, also `valkey[s]://`
 * - `redis[s]+sentinel://[user:password@]host:port,host:port/master[/db]`
 * - `redis[s]+cluster://[user:password@]host:port,host:port`
 * - `postgres://user:password@host/database`, also `postgresql://`
 *
 * SQLite takes `?prefix=`, `?synchronous=normal|full` (default normal) and `?busyTimeout=` (a duration, default 5s).
 * Redis takes `?prefix=` (BullMQ's key prefix, default `bull`, on a cluster `{bull}`) and `?ca=FILE`; PostgreSQL takes
 * `?schema=` (default `bullmq`) and passes every other parameter to `pg`.
 *
 * @throws BROKER_URL_INVALID, with the password masked
 */
export function parseBrokerUrl(url: string): BrokerAddress {
  if (/^sqlite:/i.test(url)) return parseSqlite(url);
  const scheme = /^([a-z+]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) throw invalid(url, 'it does not start with a scheme such as sqlite: or redis://');
  // Said without quoting what was read: it would be a piece of the password.
  if (/^[^/?#]*[/?#].*@/s.test(url.slice(url.indexOf('://') + 3))) {
    throw invalid(url, 'percent-encode the special characters of the password, and an @ behind the host');
  }
  if (scheme === 'postgres' || scheme === 'postgresql') return parsePostgres(url);
  const redis = REDIS_SCHEMES[scheme.replace(/^valkey/, 'redis')];
  if (redis === undefined) throw invalid(url, `the scheme "${scheme}" is not one that tq knows`);
  return parseRedis(url, redis);
}

function parseRedis(url: string, scheme: { mode: RedisAddress['mode']; tls: boolean; port: number }): RedisAddress {
  const [beforeQuery = '', query = ''] = splitOnce(url.slice(url.indexOf('://') + 3), '?');
  const [authority = '', path = ''] = splitOnce(beforeQuery, '/');
  const at = authority.lastIndexOf('@');
  const [username, password] = at < 0 ? [] : splitOnce(authority.slice(0, at), ':');
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map((text) => parseHost(text, scheme.port, url));
  const parameters = new URLSearchParams(query);
  assertParameters(url, parameters, REDIS_PARAMETERS);
  const segments = path.split('/').filter((segment) => segment !== '');
  const master = scheme.mode === 'sentinel' ? segments.shift() : undefined;
  if (scheme.mode === 'sentinel' && master === undefined) {
    throw invalid(
      url,
      'it does not name the master that the sentinels watch, as in redis+sentinel://host:26379/mymaster',
    );
  }
  if (scheme.mode === 'single' && hosts.length > 1) {
    throw invalid(url, 'it names several hosts; use redis+sentinel:// or redis+cluster://');
  }
  const db = segments.shift() ?? '0';
  if (!/^\d{1,5}$/.test(db) || segments.length > 0) throw invalid(url, `"/${path}" is not a database number`);
  if (scheme.mode === 'cluster' && db !== '0') throw invalid(url, 'a cluster has only database 0');
  return {
    kind: 'redis',
    mode: scheme.mode,
    hosts,
    master,
    db: Number(db),
    username: decode(username, url),
    password: decode(password, url),
    tls: scheme.tls,
    caFile: parameters.get('ca') ?? undefined,
    // All keys of a queue must live in one slot of a cluster; the braces make the prefix its hash tag.
    prefix: parameters.get('prefix') ?? (scheme.mode === 'cluster' ? '{bull}' : 'bull'),
  };
}

function parseSqlite(url: string): SqliteAddress {
  const [beforeQuery = '', query = ''] = splitOnce(url.slice('sqlite:'.length), '?');
  // sqlite:///var/tq.db and sqlite:/var/tq.db name the same file, as file URLs do.
  const path = decodePath(beforeQuery.replace(/^\/\/(?=\/)/, ''), url);
  if (path === '') throw invalid(url, 'it names no file, as in sqlite:.tq/tq.db');
  if (path.startsWith('//')) throw invalid(url, 'it names a host; a SQLite file is on this machine: sqlite:PATH');
  const parameters = new URLSearchParams(query);
  assertParameters(url, parameters, SQLITE_PARAMETERS);
  const synchronous = parameters.get('synchronous') ?? 'normal';
  if (synchronous !== 'normal' && synchronous !== 'full') {
    throw invalid(url, `synchronous=${synchronous} is neither normal nor full`);
  }
  const busyTimeout = parameters.get('busyTimeout') ?? '5s';
  const busyTimeoutMs = readDuration(busyTimeout);
  if (busyTimeoutMs === undefined) throw invalid(url, `busyTimeout=${busyTimeout} is not a duration such as 5s`);
  return { kind: 'sqlite', path, synchronous, busyTimeoutMs, prefix: parameters.get('prefix') ?? 'bull' };
}

function decodePath(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(url, 'its path has a broken percent-encoding; write % as %25');
  }
}

function readDuration(text: string): number | undefined {
  try {
    return parseDuration(/^\d+$/.test(text) ? Number(text) : text, 'busyTimeout');
  } catch {
    return undefined;
  }
}

function assertParameters(url: string, parameters: URLSearchParams, known: readonly string[]): void {
  for (const name of parameters.keys()) {
    if (known.includes(name)) continue;
    const near = nearestNames(name, known);
    throw invalid(
      url,
      `it has no parameter "${name}"${near.length > 0 ? `, did you mean "${near.join('" or "')}"?` : ''}`,
    );
  }
}

function parseHost(text: string, defaultPort: number, url: string): HostPort {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]\s]*)(?::(\d{1,5}))?$/i.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port > 65_535 || (text !== '' && match[1] === ''))
    throw invalid(url, `"${text}" is not a host`);
  return { host: (match[1] || 'localhost').replace(/^\[|\]$/g, ''), port };
}

function parsePostgres(url: string): PostgresAddress {
  if (!URL.canParse(url)) throw invalid(url, 'it is not a URL; percent-encode special characters of the password');
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? 'bullmq';
  if (!/^[A-Za-z_][A-Za-z0-9_$]{0,62}$/.test(schema)) throw invalid(url, `"${schema}" is not a simple schema name`);
  parsed.searchParams.delete('schema');
  return { kind: 'postgres', connectionString: parsed.toString(), schema };
}

/** A broker URL fit for a screen or a log: without its password, whatever else is wrong with it. */
export function maskUrl(url: string): string {
  return url
    .replace(/^([a-z+]+:\/\/[^:/?#]*):.*@/i, '$1:***@')
    .replace(/([?&](?:password|sslpassword)=)[^&]*/gi, '$1***');
}

function invalid(url: string, reason: string): Error {
  return createError('BROKER_URL_INVALID', { url: maskUrl(url), reason });
}

function decode(text: string | undefined, url: string): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(url, 'the user name or password has a broken percent-encoding');
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + separator.length)];
}
