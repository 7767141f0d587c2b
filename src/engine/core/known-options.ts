import { createError } from './errors.ts';
import { nearestNames } from './nearest.ts';

/**
 * @param what names the thing that has the options, in the error
 * @throws UNKNOWN_OPTION with near names for the first option that is not known
 */
export function assertKnownOptions(options: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw createError('UNKNOWN_OPTION', { what, option: unknown, near: nearestNames(unknown, known), known });
}
