import type { Kysely } from 'kysely';
import type { Clock } from '../../core/clock.ts';
import { SORTED_BY, type TextSearch, toCondition } from './result-filter.ts';
import type { Purge, ResultPage, ResultRow } from './result-port.ts';
import { type ResultRecord, type ResultTables, toRow } from './result-tables.ts';

/** What both databases are asked in the same words. */
export interface RowQueries {
  read(id: string, queue?: string): Promise<ResultRow[]>;
  listPage(page: ResultPage): Promise<ResultRow[]>;
  remove(id: string, queue?: string): Promise<number>;
  purge(options: Purge): Promise<number>;
}

export function createRowQueries(database: Kysely<ResultTables>, search: TextSearch, clock: Clock): RowQueries {
  const selectLive = () =>
    database
      .selectFrom('results')
      .selectAll()
      .where((row) => row.or([row('expires_at_ms', 'is', null), row('expires_at_ms', '>', clock.now())]));

  /** Removes the rows that a query names, whose keys it selects. */
  const removeKeys = async (limit: number, narrow: (keys: KeyQuery) => KeyQuery): Promise<number> => {
    const keys = narrow(database.selectFrom('results').select(['id', 'queue']).limit(limit));
    const { numDeletedRows } = await database
      .deleteFrom('results')
      .where((row) => row(row.refTuple('id', 'queue'), 'in', keys.$asTuple('id', 'queue')))
      .executeTakeFirst();
    return Number(numDeletedRows);
  };
  type KeyQuery = ReturnType<typeof selectKeys>;
  const selectKeys = () => database.selectFrom('results').select(['id', 'queue']);

  return {
    async read(id, queue) {
      let query = selectLive().where('id', '=', id);
      if (queue !== undefined) query = query.where('queue', '=', queue);
      return (await query.orderBy('queue').execute()).map((record) => toRow(record as ResultRecord));
    },
    async listPage({ filter, sort, after, limit }) {
      const column = SORTED_BY[sort.column];
      const direction = sort.descending ? 'desc' : 'asc';
      let query = selectLive().limit(limit);
      if (filter !== undefined) query = query.where((row) => toCondition(filter, row, search));
      if (after !== undefined) {
        const { id, queue } = after;
        const value = after[sort.column];
        query = query.where((row) =>
          row(row.refTuple(column, 'id', 'queue'), sort.descending ? '<' : '>', row.tuple(value, id, queue)),
        );
      }
      query = query.orderBy(column, direction).orderBy('id', direction).orderBy('queue', direction);
      return (await query.execute()).map((record) => toRow(record as ResultRecord));
    },
    async remove(id, queue) {
      let query = database.deleteFrom('results').where('id', '=', id);
      if (queue !== undefined) query = query.where('queue', '=', queue);
      return Number((await query.executeTakeFirst()).numDeletedRows);
    },
    async purge({ finishedBy, keep, limit }) {
      let removed = await removeKeys(limit, (keys) => keys.where('expires_at_ms', '<=', clock.now()));
      if (finishedBy !== undefined && removed < limit) {
        removed += await removeKeys(limit - removed, (keys) =>
          keys.where('finished_at_ms', '<=', finishedBy).orderBy('finished_at_ms'),
        );
      }
      if (keep !== undefined && removed < limit) {
        removed += await removeKeys(limit - removed, (keys) =>
          keys.orderBy('finished_at_ms', 'desc').orderBy('id', 'desc').orderBy('queue', 'desc').offset(keep),
        );
      }
      return removed;
    },
  };
}
