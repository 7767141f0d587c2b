import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { NumberColumn, ResultSort, RowFilter, TextColumn } from './result-port.ts';
import type { ResultTables } from './result-tables.ts';

type Builder = ExpressionBuilder<ResultTables, 'results'>;

/** How a database looks for a pattern with case, and for a piece of text without. */
export interface TextSearch {
  like(column: Expression<string | null>, pattern: string): Expression<SqlBool>;
  contains(column: Expression<string | null>, text: string): Expression<SqlBool>;
}

/** `*` and `?` as LIKE has them; what LIKE would read into the text itself is escaped. */
const toLike = (pattern: string): string =>
  pattern
    .replace(/[%_\\]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');
const escapeLike = (text: string): string => text.replace(/[%_\\]/g, '\\$&');

export const POSTGRES_SEARCH: TextSearch = {
  like: (column, pattern) => sql<SqlBool>`${column} LIKE ${toLike(pattern)}`,
  contains: (column, text) => sql<SqlBool>`${column} ILIKE ${`%${escapeLike(text)}%`}`,
};

export const SQLITE_SEARCH: TextSearch = {
  // LIKE of SQLite takes any case; GLOB does not, and has brackets beside the same wildcards.
  like: (column, pattern) => sql<SqlBool>`${column} GLOB ${pattern.replaceAll('[', '[[]')}`,
  contains: (column, text) => sql<SqlBool>`${column} LIKE ${`%${escapeLike(text)}%`} ESCAPE '\\'`,
};

/** A filter as a condition. It is true or false for every row, never null, so that it can be turned round. */
export function toCondition(filter: RowFilter, builder: Builder, search: TextSearch): Expression<SqlBool> {
  switch (filter.kind) {
    case 'all':
      return builder.and(filter.filters.map((each) => toCondition(each, builder, search)));
    case 'any':
      return builder.or(filter.filters.map((each) => toCondition(each, builder, search)));
    case 'not':
      return builder.not(toCondition(filter.filter, builder, search));
    case 'present':
      return sql<SqlBool>`${toColumn(filter.column, builder)} IS NOT NULL`;
    case 'compare':
      return builder(NUMBERS[filter.column], filter.operator, filter.value);
    default: {
      const column = toColumn(filter.column, builder) as Expression<string | null>;
      const test =
        filter.kind === 'is' ? sql<SqlBool>`${column} = ${filter.text}` : search[filter.kind](column, filter.text);
      return NULLABLE.has(filter.column) ? sql<SqlBool>`(${column} IS NOT NULL AND ${test})` : test;
    }
  }
}

const NUMBERS = { attempts: 'attempts', durationMs: 'duration_ms', finishedAt: 'finished_at_ms' } as const;

const TEXTS = {
  id: 'id',
  queue: 'queue',
  task: 'task',
  state: 'state',
  reason: 'reason',
  worker: 'worker',
  requestId: 'request_id',
  parentId: 'parent_id',
  rootId: 'root_id',
  workflowId: 'workflow_id',
} as const;

const NULLABLE: ReadonlySet<TextColumn> = new Set<TextColumn>(['error', 'reason', 'parentId', 'workflowId']);

export const SORTED_BY = {
  finishedAt: 'finished_at_ms',
  createdAt: 'created_at_ms',
  durationMs: 'duration_ms',
} as const satisfies Record<ResultSort['column'], string>;

function toColumn(column: TextColumn | NumberColumn, builder: Builder): Expression<unknown> {
  if (column === 'error') return sql<string | null>`(error_name || ': ' || error_message)`;
  return builder.ref(column in NUMBERS ? NUMBERS[column as NumberColumn] : TEXTS[column as keyof typeof TEXTS]);
}
