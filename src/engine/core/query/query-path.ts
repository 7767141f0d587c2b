import { parseNamePattern } from '../name-pattern.ts';
import { createQueryFault } from './query-fault.ts';
import type { Operator, TermToken } from './query-lexer.ts';

/** The key under which a record carries what its numbers were written as. */
export const EXACT_NUMBERS = Symbol('numbers as they were written');

interface PathRecord {
  readonly [key: string]: unknown;
  readonly [EXACT_NUMBERS]?: ReadonlyMap<string, string> | undefined;
}

/** With what a field begins: `args` of `args.0.to`. */
export function rootOf(field: string): string {
  const dot = field.indexOf('.');
  return dot < 0 ? field : field.slice(0, dot);
}

/**
 * A term about a value within JSON. `:` and `=` compare its text with a pattern, letter by letter in quotes; `~` looks for a part,
 * whatever its case; the others compare numbers and take nothing else. The text of what is no text is its JSON. What is not there,
 * and null, fits no term. A key with dots is found too: `headers.a.b` is the header `a.b` where there is no `b` within an `a`.
 *
 * @throws INVALID_QUERY for a comparison with what is no number, and a path with an empty part
 */
export function toPathMatcher(term: TermToken, text: string): (record: PathRecord) => boolean {
  const root = rootOf(term.field);
  const keys = term.field.split('.').slice(1);
  if (keys.includes('')) {
    const problem = `the path "${term.field}" has an empty part; write it as ${root}.0.name`;
    throw createQueryFault(text, { at: term.at, length: term.field.length }, problem);
  }
  const test = toValueTest(term, text);
  return (record) => {
    const value = findValue(record[root], keys);
    if (value === null || value === undefined) return false;
    return test(value, typeof value === 'number' ? record[EXACT_NUMBERS]?.get(term.field) : undefined);
  };
}

function findValue(value: unknown, keys: readonly string[]): unknown {
  if (keys.length === 0) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (let count = 1; count <= keys.length; count += 1) {
    const key = keys.slice(0, count).join('.');
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
    const found = findValue((value as Record<string, unknown>)[key], keys.slice(count));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param exact how a number was written that is not what a double can hold */
type ValueTest = (value: unknown, exact: string | undefined) => boolean;

function toValueTest(term: TermToken, text: string): ValueTest {
  const { operator, value: wanted, quoted } = term;
  if (operator === '~') {
    const part = wanted.toLowerCase();
    return (value, exact) => (exact ?? toText(value)).toLowerCase().includes(part);
  }
  if (operator === ':' || operator === '=') {
    if (quoted) return (value, exact) => (exact ?? toText(value)) === wanted;
    const matches = parseNamePattern(wanted);
    // A number that is written in another way is the same number: 1.50 is 1.5.
    const number = NUMBER.test(wanted) ? wanted : undefined;
    return (value, exact) => {
      if (number === undefined || typeof value !== 'number') return matches(toText(value));
      return compareNumbers(exact ?? value, number) === 0;
    };
  }
  if (!NUMBER.test(wanted)) {
    const problem = `${operator} compares numbers, and "${wanted}" is none`;
    throw createQueryFault(text, term.valueSpan, problem);
  }
  const holds = ORDERS[operator];
  return (value, exact) => typeof value === 'number' && holds(compareNumbers(exact ?? value, wanted));
}

const NUMBER = /^-?\d+(\.\d+)?$/;
const INTEGER = /^-?\d+$/;

const ORDERS: Readonly<Record<Exclude<Operator, '~' | ':' | '='>, (order: number) => boolean>> = {
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
};

/** Integers are compared digit by digit, so that ids beyond 2^53 that look alike to a double are told apart. */
function compareNumbers(given: number | string, wanted: string): number {
  const isWhole = typeof given === 'string' ? INTEGER.test(given) : Number.isInteger(given);
  if (!isWhole || !INTEGER.test(wanted)) return Number(given) - Number(wanted);
  const [a, b] = [BigInt(given), BigInt(wanted)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
