import type { ResultRow, ResultSort, ResultStore } from '../broker/result-store/result-port.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { parseResultQuery } from './result-query.ts';

/** Rows that are read at once, and so held at once. */
const PAGE = 500;

const SORTS: Readonly<Record<string, ResultSort['column']>> = {
  finished: 'finishedAt',
  created: 'createdAt',
  duration: 'durationMs',
};

export interface HistoryOptions {
  /** A query, see docs/queries.md. */
  readonly where?: string;
  /** `finished`, `created` or `duration`, least first; with a minus before it the other way. Default `-finished`: the last to end first. */
  readonly sort?: string;
}

/**
 * The results of a store that a query takes. They are read in pages, the next once the one before has been taken, so that any
 * number of them takes the memory of one page.
 *
 * @throws INVALID_QUERY, INVALID_OPTION at the call
 */
export function readHistory(
  openStore: () => Promise<ResultStore>,
  clock: Clock,
  { where, sort = '-finished' }: HistoryOptions = {},
): AsyncGenerator<ResultRow, void, void> {
  const order = parseSort(sort);
  const query = where === undefined ? undefined : parseResultQuery(where, clock.now());
  return readPages();

  async function* readPages(): AsyncGenerator<ResultRow, void, void> {
    const store = await openStore();
    let after: ResultRow | undefined;
    for (;;) {
      const rows: ResultRow[] = await store.listPage({
        sort: order,
        limit: PAGE,
        ...(query?.filter !== undefined && { filter: query.filter }),
        ...(after !== undefined && { after }),
      });
      for (const row of rows) if (query === undefined || query.matches(row)) yield row;
      after = rows.at(-1);
      if (rows.length < PAGE) return;
    }
  }
}

/** @throws INVALID_OPTION */
export function parseSort(text: string): ResultSort {
  const descending = text.startsWith('-');
  const name = descending ? text.slice(1) : text;
  const column = Object.hasOwn(SORTS, name) ? SORTS[name] : undefined;
  if (column !== undefined) return { column, descending };
  const expected = `${Object.keys(SORTS).join(', ')}, or one of them with a minus before it`;
  throw createError('INVALID_OPTION', { what: 'the order of results', expected, given: formatGiven(text) });
}
