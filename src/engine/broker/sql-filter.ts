import type { JobFilter, NumberField, TextField } from './job-filter.ts';

/** How a database writes the tests of a filter. Each gives true or false, never null, so that it can be turned round. */
export interface FilterDialect {
  is(column: string, text: string): string;
  /** `*` stands for any characters. */
  like(column: string, pattern: string): string;
  /** Whatever the case of A to Z. */
  contains(column: string, text: string): string;
  readonly texts: Readonly<Record<Exclude<TextField, 'error'>, string>>;
  /** Of all that the text of an error is made of; a job that ended by a marker may have one in it. */
  error(text: string): string;
  readonly numbers: Readonly<Record<NumberField, string>>;
}

/**
 * A filter as a condition of SQL.
 *
 * @param filter none takes every row
 */
export function toSqlCondition(filter: JobFilter | undefined, dialect: FilterDialect): string {
  if (filter === undefined) return 'true';
  switch (filter.kind) {
    case 'all':
    case 'any': {
      const parts = filter.filters.map((each) => toSqlCondition(each, dialect));
      return `(${parts.join(filter.kind === 'all' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `(NOT ${toSqlCondition(filter.filter, dialect)})`;
    case 'compare':
      return `coalesce(${dialect.numbers[filter.field]} ${filter.operator} ${Number(filter.value)}, false)`;
    default: {
      const { field, kind, text } = filter;
      if (field === 'error') return kind === 'contains' ? dialect.error(text) : 'true';
      return `coalesce(${dialect[kind](dialect.texts[field], text)}, false)`;
    }
  }
}

/** What LIKE would read into the text itself is escaped with a backslash. */
export function escapeLike(text: string): string {
  return text.replace(/[%_\\]/g, '\\$&');
}
