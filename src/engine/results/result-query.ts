import type { FinalState, NumberColumn, ResultRow, RowFilter, TextColumn } from '../broker/result-store/result-port.ts';
import { parseDuration } from '../core/duration.ts';
import { parseQuery, type QueryFields, type QueryRecord } from '../core/query/query.ts';
import type { TermToken } from '../core/query/query-lexer.ts';
import { type Combining, type Narrowing, NOTHING, narrowQuery } from '../core/query/query-narrowing.ts';
import { parseQueryText } from '../core/query/query-parser.ts';

const FINAL_STATES: readonly FinalState[] = ['SUCCESS', 'FAILURE', 'REVOKED', 'IGNORED'];

/** What may be asked of results. docs/queries.md lists it. */
const RESULT_FIELDS = {
  state: { kind: 'choice', choices: FINAL_STATES },
  task: { kind: 'text' },
  queue: { kind: 'text' },
  id: { kind: 'text' },
  requestId: { kind: 'text' },
  parentId: { kind: 'text' },
  rootId: { kind: 'text' },
  workflowId: { kind: 'text' },
  worker: { kind: 'text' },
  error: { kind: 'text' },
  reason: { kind: 'text' },
  attempts: { kind: 'number' },
  duration: { kind: 'duration', key: 'durationMs' },
  age: { kind: 'age', key: 'finishedAt' },
} as const satisfies QueryFields;

type Field = keyof typeof RESULT_FIELDS;

export interface ResultQuery {
  /** What the store can look for: it takes every row that `matches` takes, and perhaps more. Undefined takes all. */
  readonly filter: RowFilter | undefined;
  readonly matches: (row: ResultRow) => boolean;
}

/**
 * Reads a query about results.
 *
 * @param now epoch ms, for ages: the same for all rows, however long they take to read
 * @throws INVALID_QUERY
 */
export function parseResultQuery(text: string, now: number): ResultQuery {
  const matches = parseQuery(text, RESULT_FIELDS);
  const { filter } = narrowQuery(parseQueryText(text), (term) => toTermFilter(term, now), COMBINED);
  return { filter, matches: (row) => matches(toQueryRecord(row), now) };
}

function toQueryRecord(row: ResultRow): QueryRecord {
  const { error } = row;
  return { ...row, error: error === null ? null : `${error.name}: ${error.message}` };
}

const COMBINED: Combining<RowFilter> = {
  all: (filters) => ({ kind: 'all', filters }),
  any: (filters) => ({ kind: 'any', filters }),
  not: (filter) => ({ kind: 'not', filter }),
};

/** The term has been checked: its field, its operator and its value are such that can be. */
function toTermFilter(term: TermToken, now: number): Narrowing<RowFilter> {
  const { operator, value, quoted } = term;
  const field = term.field as Field;
  const { kind } = RESULT_FIELDS[field];
  const isOrdered = kind === 'number' || kind === 'duration' || kind === 'age';
  const column = isOrdered ? NUMBERS[field as keyof typeof NUMBERS] : (field as TextColumn);
  const exact = (filter: RowFilter): Narrowing<RowFilter> => ({ filter, isExact: true });
  if (value === '*' && !quoted && (operator === ':' || operator === '=')) return exact({ kind: 'present', column });
  if (isOrdered) return exact(toComparison(term, column as NumberColumn, now));
  const text = kind === 'choice' ? value.toUpperCase() : value;
  if (operator === '~') return toContains(column as TextColumn, value);
  const isPattern = !quoted && /[*?]/.test(text);
  return exact({ kind: isPattern ? 'like' : 'is', column: column as TextColumn, text });
}

const NUMBERS = { attempts: 'attempts', duration: 'durationMs', age: 'finishedAt' } as const;

/** Databases fold the case of letters beyond A to Z in ways of their own, so such a text is looked for here alone. */
function toContains(column: TextColumn, text: string): Narrowing<RowFilter> {
  const isAscii = /^[\x20-\x7e]*$/.test(text);
  return isAscii ? { filter: { kind: 'contains', column, text }, isExact: false } : NOTHING;
}

function toComparison({ field, operator, value }: TermToken, column: NumberColumn, now: number): RowFilter {
  const symbol = operator === ':' || operator === '~' ? '=' : operator;
  if (field === 'attempts') return { kind: 'compare', column, operator: symbol, value: Number(value) };
  const ms = parseDuration(value, field);
  if (field === 'duration') return { kind: 'compare', column, operator: symbol, value: ms };
  // The older, the earlier it was.
  const turned = ({ '>': '<', '>=': '<=', '<': '>', '<=': '>=', '=': '=' } as const)[symbol];
  return { kind: 'compare', column, operator: turned, value: now - ms };
}
