import { createError } from '../engine/core/errors.ts';
import { parseEta } from '../engine/task/call-checks.ts';
import type { Values } from './command.ts';
import { readInstant, readInteger, readJson } from './option-values.ts';
import type { OptionDefinition } from './options.ts';

/** The options of a command that changes what is in jobs. */
export const editOptions: readonly OptionDefinition[] = [
  { flags: '--patch <json>', summary: 'merged into the first argument, null removes a key (JSON Merge Patch)' },
  { flags: '--args <json>', summary: 'a JSON array in place of all arguments' },
  { flags: '--priority <number>', summary: 'from 0 to 9, 9 first' },
];

export const etaOption: OptionDefinition = {
  flags: '--eta <date>',
  summary: 'when a scheduled job is due, ISO 8601',
};

export interface EditOptions {
  readonly patch?: string;
  readonly args?: string;
  readonly priority?: string;
  readonly eta?: string;
}

/** @throws USAGE, INVALID_OPTION */
export function readEdit({ options }: Values<EditOptions>) {
  const patch = options.patch === undefined ? undefined : readPatch(options.patch);
  const args = options.args === undefined ? undefined : readArgs(options.args);
  const priority = readInteger(options.priority, '--priority', { min: 0, max: 9 });
  const eta = readInstant(options.eta, '--eta');
  return {
    ...(patch !== undefined && { patch }),
    ...(args !== undefined && { args }),
    ...(priority !== undefined && { priority }),
    ...(eta !== undefined && { dueAt: parseEta(eta, '--eta', eta) }),
  };
}

/** @throws USAGE unless it is a JSON object */
export function readPatch(text: string): Record<string, unknown> {
  const patch = readJson(text, '--patch');
  if (typeof patch === 'object' && patch !== null && !Array.isArray(patch)) return patch as Record<string, unknown>;
  throw createError('USAGE', {
    message: '--patch is no JSON object',
    next: 'give what is to change in the first argument: --patch \'{"to":"ada@example.com"}\'',
  });
}

function readArgs(text: string): unknown[] {
  const args = readJson(text, '--args');
  if (Array.isArray(args)) return args;
  throw createError('USAGE', {
    message: '--args is no JSON array',
    next: 'give all arguments of the task in an array: --args \'[{"to":"ada@example.com"}]\'',
  });
}
