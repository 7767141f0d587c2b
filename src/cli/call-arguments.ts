import { createError } from '../engine/core/errors.ts';
import { readJson } from './option-values.ts';

/**
 * The arguments of a call, from `--args` or `--input`; none without either.
 *
 * @throws USAGE for both of them, for what is no JSON, and for `--args` that are no array
 */
export function readArguments({ args, input }: { readonly args?: string; readonly input?: string }): unknown[] {
  if (args !== undefined && input !== undefined) throw bothGiven('--args', '--input');
  if (input !== undefined) return [readJson(input, '--input')];
  if (args === undefined) return [];
  const value = readJson(args, '--args');
  if (Array.isArray(value)) return value;
  throw createError('USAGE', {
    message: `--args must be a JSON array, got ${value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`}`,
    next: 'put the arguments into brackets, or use --input for a task with one argument',
  });
}

/** The error for two options of which one can be given. */
export function bothGiven(first: string, second: string): Error {
  return createError('USAGE', {
    message: `${first} and ${second} were both given`,
    next: `give either ${first} or ${second}`,
  });
}
