import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { isExactNumber, readExactJson, writeExactJson } from '../core/exact-json.ts';
import { type Difference, listDifferences, mergePatch } from '../core/merge-patch.ts';
import { parseArguments } from '../task/arguments.ts';
import type { TaskDefinition } from '../task/definition.ts';

/** What is to become of the arguments of a stored job. */
export type DataPatch =
  /** A JSON Merge Patch for its first argument, which must be an object. */
  | { readonly kind: 'merge'; readonly patch: Readonly<Record<string, unknown>> }
  /** All its arguments. */
  | { readonly kind: 'replace'; readonly args: readonly unknown[] };

export interface PatchedData {
  /** JSON in place of the stored data. */
  readonly data: string;
  /** What it changes, by paths such as `args.0.to`. */
  readonly differences: readonly Difference[];
}

/**
 * Changes the arguments in the stored data of a job, and leaves the rest of it as it is written, numbers beyond 2^53 too. Data of
 * a plain BullMQ producer is the argument itself.
 *
 * @param data JSON
 * @param definition the task, when the app is loaded: the new arguments are checked as those of a call
 * @throws PATCH_REFUSED when the data cannot be read, or has no object to merge into; InvalidArguments
 */
export async function patchData(
  data: string,
  patch: DataPatch,
  { id, definition }: { readonly id: string; readonly definition: TaskDefinition | undefined },
): Promise<PatchedData> {
  const value = readData(data, id);
  const args = isEnvelope(value) ? value.args : [value];
  const next = patch.kind === 'replace' ? patch.args : [merge(args, patch.patch, id), ...args.slice(1)];
  if (definition !== undefined) {
    // The check is of what a worker will read, so the numbers are those that it will see.
    const seen = JSON.parse(writeExactJson(next)) as readonly unknown[];
    await parseArguments(definition, seen, 'calling');
  }
  const differences = listDifferences(args, next, 'args');
  return { data: writeExactJson(isEnvelope(value) ? { ...value, args: next } : toForeign(next, id)), differences };
}

function readData(data: string, id: string): unknown {
  try {
    return readExactJson(data === '' ? 'null' : data);
  } catch (error) {
    throw createError('PATCH_REFUSED', { id, reason: 'its stored data is no JSON' }, error);
  }
}

/** As `decodeEnvelope` tells envelopes from other data. */
function isEnvelope(value: unknown): value is { readonly args: readonly unknown[]; readonly meta: unknown } {
  return isRecord(value) && Array.isArray(value.args) && isRecord(value.meta) && Object.keys(value).length === 2;
}

function merge(args: readonly unknown[], patch: Readonly<Record<string, unknown>>, id: string): unknown {
  const [first] = args;
  if (isRecord(first) && !isExactNumber(first)) return mergePatch(first, patch);
  throw createError('PATCH_REFUSED', {
    id,
    reason: 'its first argument is no object that a patch could be merged into',
  });
}

function toForeign(args: readonly unknown[], id: string): unknown {
  if (args.length === 1) return args[0];
  throw createError('PATCH_REFUSED', {
    id,
    reason: `a plain BullMQ producer made it, so it has one argument, and ${args.length} were given`,
  });
}
