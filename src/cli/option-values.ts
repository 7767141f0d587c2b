import { parseDuration } from '../engine/core/duration.ts';
import { createError } from '../engine/core/errors.ts';
import { findJsonFault } from './json-fault.ts';

/*
 * The text of an option or an argument, read. Each function takes undefined for an option that was not given, and
 * throws an error of exit code 2 that names the option, says what was given and what would be right.
 */

/** @returns milliseconds. A bare number is refused: `30` could be meant as seconds or as milliseconds. */
export function readDuration(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseDuration(text, flag);
  } catch {
    throw invalid(flag, 'a duration such as 250ms, 30s, 5m, 2h or 7d, at most 3650d', text);
  }
}

export function readInteger(
  text: string | undefined,
  flag: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalid(flag, `a whole number from ${min} to ${max}`, text);
}

/** @returns epoch milliseconds of an ISO 8601 date; without an offset it is local time, a bare day is UTC midnight */
export function readInstant(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const at = isIsoDate(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw invalid(flag, 'an ISO 8601 date such as 2031-05-01T12:00:00Z', text);
}

export function isIsoDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text);
}

/** A text that must not be empty: an empty value is a shell variable that was not set more often than a wish. */
export function readText(text: string | undefined, flag: string): string | undefined {
  if (text === undefined || text.trim() !== '') return text;
  throw invalid(flag, 'a text that is not empty', text);
}

/** One of a few words. */
export function readChoice<const Word extends string>(
  text: string | undefined,
  flag: string,
  words: readonly Word[],
): Word | undefined {
  if (text === undefined) return undefined;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw invalid(flag, `one of ${words.join(', ')}`, text);
}

/** Names that were given with commas between them, or in several options. */
export function readNames(names: readonly string[] | undefined, flag: string): string[] | undefined {
  if (names === undefined) return undefined;
  if (names.every((name) => name !== '')) return [...names];
  throw invalid(flag, 'names with commas between them', names.join(','));
}

/** `name=value` pairs; the value may hold further equals signs. */
export function readPairs(pairs: readonly string[] | undefined, flag: string): Record<string, string> | undefined {
  if (pairs === undefined) return undefined;
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) throw invalid(flag, 'name=value', pair);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  // fromEntries defines own properties, so a header called `__proto__` stays a header.
  return Object.fromEntries(entries);
}

/** Any JSON value; the error gives the place of the fault and the text around it. */
export function readJson(text: string, flag: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw createError('USAGE', { message: `${flag} is not JSON: ${describeFault(text)}`, next: JSON_HINT }, error);
  }
}

const JSON_HINT = 'put the JSON into single quotes, so that the shell leaves its double quotes alone';
/** How much of the text is shown on each side of the fault. */
const SHOWN = 20;

function describeFault(text: string): string {
  const { position, expected } = findJsonFault(text) ?? { position: 0, expected: 'JSON' };
  const before = text.slice(Math.max(0, position - SHOWN), position);
  const after = text.slice(position, position + SHOWN);
  const shown = `${position > SHOWN ? '…' : ''}${before}▸${after}${position + SHOWN < text.length ? '…' : ''}`;
  return `expected ${expected} at position ${position}, got ${after === '' ? 'the end' : JSON.stringify(text[position])}: ${shown}`;
}

function invalid(flag: string, expected: string, given: string): Error {
  return createError('INVALID_OPTION', { what: flag, expected, given: JSON.stringify(given) });
}
