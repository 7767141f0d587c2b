import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { encodeJson } from '../core/json.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { nearestNames } from '../core/nearest.ts';
import type { EntryDefinition, Overlap } from '../core/schedule/entry.ts';
import { assertEntryName } from '../core/schedule/entry-name.ts';
import { parseSchedule, type ScheduleOptions } from '../core/schedule/schedule-options.ts';
import { withoutTrailingUndefined } from '../task/call-checks.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { type EntryCallOptions, parseEntryCall } from './entry-call.ts';
import { type MissedOptions, parseMissed } from './missed-options.ts';

/** A schedule entry as it is written: what it fires, when (one of `every`, `cron`, `at` and `solar`) and how. */
export interface EntryOptions extends ScheduleOptions, EntryCallOptions {
  /** A task, or the name of one. */
  readonly task: string | { readonly taskName: string };
  /** Its arguments, in every firing the same. Default none. */
  readonly args?: readonly unknown[];
  /**
   * What a firing does when the one before has not ended: run beside it (`allow`), not run (`skip`), or revoke it and run in its place
   * (`replace`). Default allow.
   */
  readonly overlap?: Overlap;
  /**
   * What becomes of due times that passed while nobody could fire them: `once` makes up for the latest, `all` for the last hundred, `skip`
   * for none, and then a firing does not run either when it would start more than a minute late. Default once.
   */
  readonly missed?: MissedOptions;
  /** False: it is stored, and fires once it is resumed. Default true. */
  readonly enabled?: boolean;
  /** Default the queue of its task. */
  readonly queue?: string;
  /** For people. */
  readonly description?: string;
}

/** What an entry is checked against. */
export interface EntryFacts {
  /** The queue of its calls when the entry names none, and the task if it is registered. */
  resolve(task: string): { readonly queue: string; readonly definition: TaskDefinition | undefined };
  /** Of the tasks that an entry may name; undefined: any. */
  readonly taskNames?: Iterable<string> | undefined;
  /** @throws for a queue that may not be used */
  assertQueue(queue: string): void;
  /** Bytes of JSON. */
  readonly payloadLimit: number;
  /** The longest that any worker keeps results, in ms. */
  longestResultMs(): number;
  /** Of entries that name none. Default UTC. */
  readonly timezone?: string;
}

const OWN_KEYS = ['task', 'args', 'overlap', 'missed', 'enabled', 'queue', 'description'] as const;
const SCHEDULE_KEYS = ['every', 'cron', 'at', 'solar', 'timezone', 'startAt', 'endAt', 'maxRuns', 'jitter'] as const;
const CALL_KEYS = [
  ...(['priority', 'expires', 'headers', 'softTimeLimit', 'timeLimit', 'retry', 'resultExpires'] as const),
  'ignoreResult' as const,
];
const KEYS: readonly (keyof EntryOptions)[] = [...OWN_KEYS, ...SCHEDULE_KEYS, ...CALL_KEYS];

/**
 * Checks an entry, all but what needs the broker (whether its queue has priorities) and the schema of its task.
 *
 * @throws INVALID_ENTRY_NAME, INVALID_SCHEDULE with the field named, UNKNOWN_TASK, UNKNOWN_OPTION, INVALID_OPTION, INVALID_DURATION,
 *   NOT_JSON, PAYLOAD_TOO_LARGE, and what `facts.assertQueue` throws
 */
export function parseEntry(name: string, options: EntryOptions, facts: EntryFacts): EntryDefinition {
  assertEntryName(name);
  const owner = `schedule entry "${name}"`;
  const given: unknown = options;
  if (!isRecord(given)) {
    throw createError('INVALID_OPTION', { what: owner, expected: 'an object', given: formatGiven(given) });
  }
  assertKnownOptions(given, KEYS, owner);
  assertPlain(options, owner);
  const task = parseTask(options.task, owner);
  const { queue: usualQueue, definition } = facts.resolve(task);
  const { taskNames } = facts;
  if (taskNames !== undefined && definition === undefined) {
    throw createError('UNKNOWN_TASK', {
      task,
      near: nearestNames(task, taskNames),
      next: `register it before ${owner} names it`,
    });
  }
  const queue = options.queue ?? usualQueue;
  facts.assertQueue(queue);
  const schedule = parseSchedule(pick(options, SCHEDULE_KEYS), name, facts.timezone);
  const { overlap = 'allow', description = null } = options;
  return {
    task,
    args: parseArgs(options.args, { task, owner, limit: facts.payloadLimit }),
    queue,
    schedule,
    overlap,
    missed: parseMissed(options.missed, { entry: name, overlap, jitterMs: schedule.jitterMs }),
    call: parseEntryCall(pick(options, CALL_KEYS), {
      ...{ definition, owner, longestResultMs: facts.longestResultMs, jitterMs: schedule.jitterMs, entry: name },
    }),
    description,
  };
}

function assertPlain({ overlap, enabled, queue, description }: EntryOptions, owner: string): void {
  const refuse = (key: string, expected: string, given: unknown): never => {
    throw createError('INVALID_OPTION', { what: `${key} of ${owner}`, expected, given: formatGiven(given) });
  };
  const isMode = overlap === undefined || ['allow', 'skip', 'replace'].includes(overlap);
  if (!isMode) refuse('overlap', '"allow", "skip" or "replace"', overlap);
  if (enabled !== undefined && typeof enabled !== 'boolean') refuse('enabled', 'true or false', enabled);
  if (queue !== undefined && typeof queue !== 'string') refuse('queue', 'a text', queue);
  const isDescription = description === undefined || (typeof description === 'string' && description.length <= 1000);
  if (!isDescription) refuse('description', 'a text of at most 1000 characters', description);
}

function parseTask(task: unknown, owner: string): string {
  // A task is a function that has its name.
  const name = typeof task === 'function' ? (task as Partial<{ taskName: unknown }>).taskName : task;
  if (typeof name === 'string' && name !== '') return name;
  throw createError('INVALID_OPTION', {
    what: `task of ${owner}`,
    expected: 'a task or the name of one',
    given: formatGiven(task),
  });
}

function parseArgs(
  args: unknown,
  { task, owner, limit }: { readonly task: string; readonly owner: string; readonly limit: number },
): readonly unknown[] {
  if (args === undefined) return [];
  if (!Array.isArray(args)) {
    throw createError('INVALID_OPTION', {
      what: `args of ${owner}`,
      expected: 'the list of the arguments',
      given: formatGiven(args),
    });
  }
  const sent = withoutTrailingUndefined(args);
  const text = encodeJson(sent, `the arguments of ${owner}`, 'args');
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) throw createError('PAYLOAD_TOO_LARGE', { task, bytes, limit });
  return JSON.parse(text) as unknown[];
}

function pick<Options extends object, Key extends keyof Options>(
  options: Options,
  keys: readonly Key[],
): Pick<Options, Key> {
  const given = keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]);
  return Object.fromEntries(given) as Pick<Options, Key>;
}
