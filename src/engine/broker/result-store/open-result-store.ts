import { statSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import type { ResultStore } from './result-port.ts';
import { parseResultsUrl, type SqliteResultsAddress } from './results-url.ts';

export interface OpenResultStoreOptions {
  readonly clock: Clock;
  /** Does not look whether its tables fit: for `tq migrate`, which is about to make them. */
  readonly skipSchema?: boolean;
  /** A SQLite file that is not there is not made, and stands for a store without rows: for who writes none. */
  readonly onlyExisting?: boolean;
  /** What the caller is doing, for the error. */
  readonly doing?: string;
}

/**
 * Opens a result store by its URL and makes sure that it can be used. The drivers are loaded here, and only the one that is needed.
 *
 * @throws RESULTS_URL_INVALID, RESULTS_UNAVAILABLE, RESULTS_UNSUITABLE
 */
export async function openResultStore(url: string, options: OpenResultStoreOptions): Promise<ResultStore> {
  const { clock, skipSchema = false, onlyExisting = false, doing = 'connecting' } = options;
  const address = parseResultsUrl(url);
  const { store, connect } =
    address.kind === 'postgres'
      ? (await import('./postgres-results.ts')).createPostgresResults(url, address, clock)
      : (await import('./sqlite-results.ts')).createSqliteResults(
          onlyExisting && isMissing(address) ? { ...address, path: ':memory:' } : address,
          clock,
        );
  if (skipSchema) return store;
  try {
    await connect(doing);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** A file that this user may not look for is not missing: opening it says what is wrong. */
function isMissing({ path }: SqliteResultsAddress): boolean {
  if (path === ':memory:') return false;
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}
