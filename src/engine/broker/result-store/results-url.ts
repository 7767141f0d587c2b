import { createError } from '../../core/errors.ts';
import { nearestNames } from '../../core/nearest.ts';
import { maskUrl } from '../broker-url.ts';

export interface PostgresResultsAddress {
  readonly kind: 'postgres';
  /** The URL as `pg` takes it, without tq's own parameters. */
  readonly connectionString: string;
  readonly schema: string;
}

export interface SqliteResultsAddress {
  readonly kind: 'sqlite';
  /** As given, relative to the folder that the process runs in; `:memory:` for one that only this process has. */
  readonly path: string;
  readonly synchronous: 'normal' | 'full';
}

/**
 * Reads the URL of a result store: `postgres://user:password@host/database[?schema=tq]` or `sqlite:PATH[?synchronous=full]`.
 * PostgreSQL passes every other parameter to `pg`.
 *
 * @throws RESULTS_URL_INVALID, with the password masked
 */
export function parseResultsUrl(url: string): PostgresResultsAddress | SqliteResultsAddress {
  if (/^sqlite:/i.test(url)) return parseSqlite(url);
  if (/^postgres(ql)?:\/\//i.test(url)) return parsePostgres(url);
  throw invalid(url, 'results are stored in PostgreSQL or SQLite, or in the broker without a URL');
}

function parsePostgres(url: string): PostgresResultsAddress {
  // Said without quoting what was read: it would be a piece of the password.
  const isBroken = /^[^/?#]*[/?#].*@/s.test(url.slice(url.indexOf('://') + 3)) || !URL.canParse(url);
  if (isBroken) throw invalid(url, 'it is no URL; percent-encode the special characters of the password');
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? 'tq';
  if (!/^[A-Za-z_][A-Za-z0-9_$]{0,62}$/.test(schema)) throw invalid(url, `"${schema}" is not a simple schema name`);
  parsed.searchParams.delete('schema');
  return { kind: 'postgres', connectionString: parsed.toString(), schema };
}

function parseSqlite(url: string): SqliteResultsAddress {
  const [given = '', query = ''] = url.slice('sqlite:'.length).split(/\?(.*)/s);
  // sqlite:///var/r.db and sqlite:/var/r.db name the same file, as file URLs do.
  const path = decode(given.replace(/^\/\/(?=\/)/, ''), url);
  if (path === '') throw invalid(url, 'it names no file, as in sqlite:results.db');
  if (path.startsWith('//')) throw invalid(url, 'it names a host; a SQLite file is on this machine: sqlite:PATH');
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (name === 'synchronous') continue;
    const near = nearestNames(name, ['synchronous']).length > 0 ? '; did you mean "synchronous"?' : '';
    throw invalid(url, `it has no parameter "${name}"${near}`);
  }
  const synchronous = parameters.get('synchronous') ?? 'normal';
  if (synchronous === 'normal' || synchronous === 'full') return { kind: 'sqlite', path, synchronous };
  throw invalid(url, `synchronous=${synchronous} is neither normal nor full`);
}

function decode(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(url, 'its path has a broken percent-encoding; write % as %25');
  }
}

function invalid(url: string, reason: string): Error {
  return createError('RESULTS_URL_INVALID', { url: maskUrl(url), reason });
}
