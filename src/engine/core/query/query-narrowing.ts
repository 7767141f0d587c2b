import type { TermToken } from './query-lexer.ts';
import type { QueryNode } from './query-parser.ts';

/** What a store can look for of a query: it takes every record that the query takes, and perhaps more. */
export interface Narrowing<Filter> {
  /** Undefined where the store cannot look for it. */
  readonly filter: Filter | undefined;
  /** Whether it takes no record that the query does not take: only then can it be turned round. */
  readonly isExact: boolean;
}

export const NOTHING = { filter: undefined, isExact: false } as const;

/** How the filters of parts become that of the whole. */
export interface Combining<Filter> {
  readonly all: (filters: readonly Filter[]) => Filter;
  readonly any: (filters: readonly Filter[]) => Filter;
  readonly not: (filter: Filter) => Filter;
}

/** @param narrowTerm of a term that has been checked */
export function narrowQuery<Filter>(
  node: QueryNode,
  narrowTerm: (term: TermToken) => Narrowing<Filter>,
  combine: Combining<Filter>,
): Narrowing<Filter> {
  switch (node.kind) {
    case 'term':
      return narrowTerm(node.term);
    case 'not': {
      const { filter, isExact } = narrowQuery(node.node, narrowTerm, combine);
      return filter === undefined || !isExact ? NOTHING : { filter: combine.not(filter), isExact };
    }
    default: {
      const parts = node.nodes.map((each) => narrowQuery(each, narrowTerm, combine));
      const filters = parts.flatMap(({ filter }) => filter ?? []);
      // One part of several alternatives that the store cannot look for may be what takes a record.
      const isLost = node.kind === 'any' && filters.length < parts.length;
      if (filters.length === 0 || isLost) return NOTHING;
      return { filter: combine[node.kind](filters), isExact: parts.every(({ isExact }) => isExact) };
    }
  }
}
