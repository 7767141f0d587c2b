import { createHash } from 'node:crypto';
import type { Meta } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { UniqueHold } from '../core/job.ts';
import { encodeJson } from '../core/json.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { DEFAULT_UNIQUE } from '../task/unique.ts';
import type { CallOptions } from './call-options.ts';

interface UniqueCall {
  readonly task: string;
  readonly definition: TaskDefinition | undefined;
  /** As they are sent. */
  readonly args: readonly unknown[];
  readonly option: CallOptions['unique'];
}

/** What a unique call holds, and what of it the worker must know. */
interface Uniqueness {
  readonly hold: UniqueHold;
  /** Who ends the hold early is the worker, where the store does not by itself. */
  readonly until: Meta['uniqueUntil'];
}

/**
 * The key that a call holds, by its own option, else by the rule of its task.
 *
 * @returns undefined for a call that holds none
 * @throws INVALID_OPTION for a key that is none, NOT_JSON, and what the key function of the task throws
 */
export function readUnique({ task, definition, args, option }: UniqueCall): Uniqueness | undefined {
  if (option === false || (option === undefined && definition?.unique === undefined)) return undefined;
  const { key, ttlMs, until } = definition?.unique ?? DEFAULT_UNIQUE;
  const what = `the unique key of a call of task "${task}"`;
  let given: unknown = option;
  if (option === undefined || option === true) given = key === undefined ? args : key(...(args as never[]));
  return {
    hold: { key: `${task} ${formatKey(given, what)}`, ...(ttlMs !== undefined && { ttlMs }) },
    until: until === 'started' || ttlMs !== undefined ? until : undefined,
  };
}

/** A longer one is replaced by its hash: it is an index in the store, and stands in its events. */
const MAX_LENGTH = 200;

function formatKey(key: unknown, what: string): string {
  if (key === undefined || key === null || key === '' || typeof key === 'function') {
    const given = typeof key === 'function' ? 'a function' : formatGiven(key);
    throw createError('INVALID_OPTION', {
      what,
      expected: 'a text, a number, true or false, or a list of them',
      given,
    });
  }
  encodeJson(key, what, 'key');
  const text = typeof key === 'string' ? key : JSON.stringify(sortKeys(key));
  if (text.length <= MAX_LENGTH && !/\p{Cc}/u.test(text)) return text;
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Objects that differ in the order of their keys are the same arguments. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, item]) => [name, sortKeys(item)]));
}
