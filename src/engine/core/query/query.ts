import { parseDuration } from '../duration.ts';
import { suggestion } from '../error-catalogue.ts';
import { parseNamePattern } from '../name-pattern.ts';
import { nearestNames } from '../nearest.ts';
import { createQueryFault } from './query-fault.ts';
import type { Operator, TermToken } from './query-lexer.ts';
import { parseQueryText, type QueryNode } from './query-parser.ts';
import { EXACT_NUMBERS, rootOf, toPathMatcher } from './query-path.ts';

/**
 * Queries over flat records: `task:email.* error~timeout duration>1s -queue:low`. What may be asked for is said by a table
 * of fields, so that one grammar serves every list. docs/queries.md describes it for people.
 */

export interface QueryField {
  /**
   * - `text`: `:` compares with a pattern, `~` looks for a part, whatever its case;
   * - `choice`: one of `choices`, whatever its case;
   * - `number`: also `>`, `>=`, `<`, `<=`;
   * - `duration`: the record holds milliseconds, the query a duration;
   * - `age`: the record holds an instant, epoch ms, and the query a duration up to now;
   * - `until`: the same with a duration from now on;
   * - `path`: the record holds JSON, and the field of the query goes on with a path into it: `args.0.to`. Numbers are compared with
   *   `>` and its relatives, any value as a text with the others.
   */
  readonly kind: 'text' | 'choice' | 'number' | 'duration' | 'age' | 'until' | 'path';
  /** The key of the record; default the name of the field. */
  readonly key?: string;
  readonly choices?: readonly string[];
}

export type QueryFields = Readonly<Record<string, QueryField>>;

/** A field with several values, an array, fits a term when one of them does. */
export type QueryRecord = Readonly<Record<string, unknown>> & {
  /** Numbers within the fields of kind `path` that a double cannot hold, as they were written, by their paths: `args.0.id`. */
  readonly [EXACT_NUMBERS]?: ReadonlyMap<string, string> | undefined;
};

/** @param now epoch ms, for ages */
export type QueryMatcher = (record: QueryRecord, now: number) => boolean;

/**
 * Reads a query into a function that says whether a record is asked for. A field that is null in the record fits no term.
 *
 * @throws INVALID_QUERY that shows the place: syntax, an unknown field or choice, an operator or a value that the field cannot have
 */
export function parseQuery(text: string, fields: QueryFields): QueryMatcher {
  return toMatcher(parseQueryText(text), { text, fields });
}

interface Source {
  readonly text: string;
  readonly fields: QueryFields;
}

function toMatcher(node: QueryNode, source: Source): QueryMatcher {
  switch (node.kind) {
    case 'term':
      return toTermMatcher(node.term, source);
    case 'not': {
      const matches = toMatcher(node.node, source);
      return (record, now) => !matches(record, now);
    }
    case 'all': {
      const all = node.nodes.map((each) => toMatcher(each, source));
      return (record, now) => all.every((matches) => matches(record, now));
    }
    case 'any': {
      const any = node.nodes.map((each) => toMatcher(each, source));
      return (record, now) => any.some((matches) => matches(record, now));
    }
  }
}

type Test = (value: unknown, now: number) => boolean;

function toTermMatcher(term: TermToken, source: Source): QueryMatcher {
  const field = findField(term, source);
  if (field.kind === 'path') return toPathMatcher(term, source.text);
  const key = field.key ?? term.field;
  const test = toTest(term, field, source);
  return (record, now) => {
    const value = record[key];
    if (Array.isArray(value)) return value.some((each) => test(each, now));
    return value !== null && value !== undefined && test(value, now);
  };
}

function findField({ field, at }: TermToken, { text, fields }: Source): QueryField {
  // A field of the table itself: `constructor` is none.
  const found = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (found !== undefined) return found;
  const root = rootOf(field);
  if (root !== field && Object.hasOwn(fields, root) && fields[root]?.kind === 'path') return fields[root];
  const names = Object.keys(fields);
  const near = nearestNames(field, names);
  const known = near.length === 0 ? `; the fields are ${names.join(', ')}` : suggestion(near);
  throw createQueryFault(text, { at, length: field.length }, `there is no field "${field}"${known}`);
}

const ORDERED: readonly QueryField['kind'][] = ['number', 'duration', 'age', 'until'];

function toTest(term: TermToken, field: QueryField, source: Source): Test {
  const { operator, value, quoted } = term;
  const isOrdered = ORDERED.includes(field.kind);
  if (operator === '~' ? isOrdered : operator !== ':' && operator !== '=' && !isOrdered) {
    const operators = isOrdered ? ': = > >= < <=' : ': = ~';
    const problem = `"${term.field}" is a ${KIND_NAMES[field.kind]} and takes ${operators}, not ${operator}`;
    throw createQueryFault(source.text, term, problem);
  }
  if (value === '*' && !quoted && (operator === ':' || operator === '=')) return () => true;
  if (isOrdered) return toOrderedTest(term, field, source);
  if (operator === '~') {
    const part = value.toLowerCase();
    return (given) => String(given).toLowerCase().includes(part);
  }
  if (field.kind === 'choice') return toChoiceTest(term, field.choices ?? [], source);
  return toPatternTest(term);
}

const KIND_NAMES = {
  ...{ text: 'text', choice: 'text', path: 'value', number: 'number' },
  ...{ duration: 'duration', age: 'age', until: 'duration' },
} as const;

function toPatternTest({ value, quoted }: TermToken): Test {
  if (quoted) return (given) => String(given) === value;
  const matches = parseNamePattern(value);
  return (given) => matches(String(given));
}

function toChoiceTest(term: TermToken, choices: readonly string[], { text }: Source): Test {
  const wanted = term.value.toLowerCase();
  if (!/[*?]/.test(wanted)) {
    const known = choices.map((choice) => choice.toLowerCase());
    if (!known.includes(wanted)) {
      const near = nearestNames(wanted, choices);
      const hint = near.length === 0 ? `; it may be ${choices.join(', ')}` : suggestion(near);
      throw createQueryFault(text, term.valueSpan, `"${term.field}" is never "${term.value}"${hint}`);
    }
  }
  const matches = toPatternTest({ ...term, value: wanted });
  return (given) => matches(String(given).toLowerCase(), 0);
}

function toOrderedTest(term: TermToken, { kind }: QueryField, source: Source): Test {
  const wanted = kind === 'number' ? readNumber(term, source) : readDuration(term, source);
  const compare = COMPARISONS[term.operator as keyof typeof COMPARISONS];
  if (kind === 'age') return (given, now) => compare(now - Number(given), wanted);
  if (kind === 'until') return (given, now) => compare(Number(given) - now, wanted);
  return (given) => compare(Number(given), wanted);
}

const equals = (given: number, wanted: number): boolean => given === wanted;

const COMPARISONS: Readonly<Record<Exclude<Operator, '~'>, (given: number, wanted: number) => boolean>> = {
  ':': equals,
  '=': equals,
  '>': (given, wanted) => given > wanted,
  '>=': (given, wanted) => given >= wanted,
  '<': (given, wanted) => given < wanted,
  '<=': (given, wanted) => given <= wanted,
};

function readNumber({ field, value, valueSpan }: TermToken, { text }: Source): number {
  if (/^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  throw createQueryFault(text, valueSpan, `"${field}" is a number, and "${value}" is none`);
}

function readDuration({ field, value, valueSpan }: TermToken, { text }: Source): number {
  try {
    return parseDuration(value, field);
  } catch {
    throw createQueryFault(
      text,
      valueSpan,
      `"${field}" takes a duration such as 250ms, 30s, 5m, 2h or 7d, not "${value}"`,
    );
  }
}
