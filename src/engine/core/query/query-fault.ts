import { createError } from '../errors.ts';

/** A stretch of the text of a query, counted in characters from 0. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

/**
 * The error of a query that cannot be read: it shows the text with the place marked below it.
 *
 * @param problem what is wrong there, and what would be right
 */
export function createQueryFault(text: string, { at, length }: Span, problem: string): Error {
  const marks = `${' '.repeat(at)}^${'~'.repeat(Math.max(0, Math.min(length, text.length - at) - 1))}`;
  // A query of several lines would break the marking.
  return createError('INVALID_QUERY', { problem, text: text.replace(/\s/g, ' '), marks });
}
