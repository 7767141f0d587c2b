import { createError } from './errors.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** Deeper values are a cycle in disguise more often than data, and would overflow the stack of a reader. */
const MAX_DEPTH = 500;

/**
 * Writes a value as JSON, and refuses what JSON would change silently: a BigInt, a cycle, a class instance (a Date, a
 * Map), NaN and Infinity, a function, a symbol, `undefined` in an array. An object's undefined properties are left out,
 * as JSON.stringify does. Text with U+0000 or half a surrogate pair is refused too: not every broker can store it.
 *
 * @param what names the value in the error, for example `the arguments of task "email.send"`
 * @param root how a path starts, for example `args` gives `args[0].to`
 * @throws NOT_JSON with the path to the first such value
 */
export function encodeJson(value: unknown, what: string, root: string): string {
  assertJson(value, what, root);
  return JSON.stringify(value);
}

/** The check of `encodeJson` alone, for a value that somebody else writes. */
export function assertJson(value: unknown, what: string, root: string): void {
  const fault = findFault(value, []);
  if (fault !== undefined) {
    throw createError('NOT_JSON', { what, path: formatPath(root, fault.path), problem: fault.problem });
  }
}

interface Fault {
  /** Innermost key first: it is filled while the search returns. */
  readonly path: (string | number)[];
  readonly problem: string;
}

function findFault(value: unknown, ancestors: object[]): Fault | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'string':
      return findFaultInText(value);
    case 'number':
      return Number.isFinite(value) ? undefined : { path: [], problem: `${value}, which JSON has no number for` };
    case 'object':
      return value === null ? undefined : findFaultInObject(value, ancestors);
    case 'undefined':
      return { path: [], problem: 'undefined' };
    default:
      return { path: [], problem: `a ${typeof value}` };
  }
}

/** Both are JSON, but PostgreSQL refuses them, and a job must not depend on where it is stored. */
function findFaultInText(text: string): Fault | undefined {
  if (text.includes('\0'))
    return { path: [], problem: 'a text with the character U+0000, which not every broker can store' };
  if (!text.isWellFormed()) return { path: [], problem: 'a text with half of a surrogate pair, which is no character' };
  return undefined;
}

function findFaultInObject(value: object, ancestors: object[]): Fault | undefined {
  if (ancestors.includes(value)) return { path: [], problem: 'a reference to a value that contains it (a cycle)' };
  if (ancestors.length > MAX_DEPTH) return { path: [], problem: `nested deeper than ${MAX_DEPTH} levels` };
  const isArray = Array.isArray(value);
  if (!isArray && !isPlainObject(value)) return { path: [], problem: `an instance of ${className(value)}` };
  ancestors.push(value);
  const entries: Iterable<[string | number, unknown]> = isArray ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    if (item === undefined && !isArray) continue;
    const fault = (typeof key === 'string' ? findFaultInText(key) : undefined) ?? findFault(item, ancestors);
    if (fault !== undefined) {
      fault.path.push(key);
      return fault;
    }
  }
  ancestors.pop();
  return undefined;
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  // A plain object of another realm (a vm context, a test runner) has another Object.prototype, but nothing above it.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function className(value: object): string {
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'a class';
}

function formatPath(root: string, path: readonly (string | number)[]): string {
  let text = root;
  for (const key of path.toReversed()) {
    if (typeof key === 'number') text += `[${key}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  }
  return text;
}
