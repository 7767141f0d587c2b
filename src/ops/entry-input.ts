import {
  array,
  boolean,
  exactOptional,
  type InferOutput,
  integer,
  maxValue,
  minValue,
  nonEmpty,
  number,
  picklist,
  pipe,
  record,
  strictObject,
  string,
  unknown,
} from 'valibot';
import type { EntryDefinition } from '../engine/core/schedule/entry.ts';
import type { EntryOptions } from '../engine/schedule/entry-options.ts';
import { flag, formatMs, scheduleFields, scheduleFlags, toScheduleInput, toScheduleOptions } from './entry-schedule.ts';

const durationMs = pipe(number(), integer(), minValue(0));

/** Everything that a schedule entry can be given. Durations are milliseconds. */
export const entryInput = strictObject({
  name: pipe(string(), nonEmpty()),
  task: pipe(string(), nonEmpty()),
  args: exactOptional(array(unknown()), []),
  ...scheduleFields,
  queue: exactOptional(pipe(string(), nonEmpty())),
  priority: exactOptional(pipe(number(), integer(), minValue(0), maxValue(9))),
  expiresMs: exactOptional(durationMs),
  softTimeLimitMs: exactOptional(durationMs),
  timeLimitMs: exactOptional(durationMs),
  headers: exactOptional(record(string(), string())),
  overlap: exactOptional(picklist(['allow', 'skip', 'replace'])),
  missed: exactOptional(picklist(['skip', 'once', 'all'])),
  missedWithinMs: exactOptional(durationMs),
  missedAtMost: exactOptional(pipe(number(), integer(), minValue(1))),
  description: exactOptional(string()),
  /** It does not fire before it is resumed. */
  paused: exactOptional(boolean()),
  /** An entry of that name may be there; it is then changed. */
  replace: exactOptional(boolean()),
});

export type EntryInput = InferOutput<typeof entryInput>;

/** What the library would be given for it. */
export function toEntryOptions(given: EntryInput): EntryOptions {
  const { task, args, queue, priority, expiresMs, softTimeLimitMs, timeLimitMs, headers } = given;
  const { overlap, missed, missedWithinMs, missedAtMost, description, paused } = given;
  return {
    ...{ task, args, ...toScheduleOptions(given) },
    ...(queue !== undefined && { queue }),
    ...(priority !== undefined && { priority }),
    ...(expiresMs !== undefined && { expires: expiresMs }),
    ...(softTimeLimitMs !== undefined && { softTimeLimit: softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimit: timeLimitMs }),
    ...(headers !== undefined && { headers }),
    ...(overlap !== undefined && { overlap }),
    missed: {
      policy: missed ?? 'once',
      ...(missedWithinMs !== undefined && { within: missedWithinMs }),
      ...(missedAtMost !== undefined && { atMost: missedAtMost }),
    },
    ...(description !== undefined && { description }),
    ...(paused === true && { enabled: false }),
  };
}

/** The arguments of `tq` that add this entry. */
export function formatAddCommand(given: EntryInput): string[] {
  const { name, task, args, queue, priority, expiresMs, softTimeLimitMs, timeLimitMs, headers = {} } = given;
  const { overlap, missed, missedWithinMs, missedAtMost, description, paused, replace } = given;
  return [
    ...['schedule', 'add', name, '--task', task],
    ...scheduleFlags(given),
    ...(args.length === 0 ? [] : ['--args', JSON.stringify(args)]),
    ...flag('--queue', queue),
    ...flag('--priority', priority?.toString()),
    ...flag('--expires', formatMs(expiresMs)),
    ...flag('--soft-time-limit', formatMs(softTimeLimitMs)),
    ...flag('--time-limit', formatMs(timeLimitMs)),
    ...Object.entries(headers).flatMap(([key, value]) => ['--header', `${key}=${value}`]),
    ...flag('--overlap', overlap),
    ...flag('--missed', missed),
    ...flag('--missed-within', formatMs(missedWithinMs)),
    ...flag('--missed-at-most', missedAtMost?.toString()),
    ...flag('--description', description),
    ...(paused === true ? ['--paused'] : []),
    ...(replace === true ? ['--replace'] : []),
  ];
}

/** What would be given to have this entry: what its removal prints. */
export function toEntryInput(name: string, definition: EntryDefinition, isPaused: boolean): EntryInput {
  const { task, args, queue, schedule, overlap, missed, call, description } = definition;
  const { priority, expiresMs, softTimeLimitMs, timeLimitMs, headers } = call;
  return {
    ...{ name, task, args: [...args], ...toScheduleInput(schedule), queue },
    ...(priority !== undefined && { priority }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(softTimeLimitMs !== undefined && { softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimitMs }),
    ...(headers !== undefined && { headers: { ...headers } }),
    ...(overlap !== 'allow' && { overlap }),
    ...((missed.policy !== 'once' || missed.windowMs !== null) && { missed: missed.policy }),
    ...(missed.windowMs !== null && { missedWithinMs: missed.windowMs }),
    ...(missed.policy === 'all' && { missedAtMost: missed.atMost }),
    ...(description !== null && { description }),
    ...(isPaused && { paused: true }),
  };
}

/** What an entry has that `tq schedule add` cannot give it. */
export function listUngivable({ call }: EntryDefinition): string[] {
  const named = [
    ['its retry policy', call.retry],
    ['how long its results are kept', call.resultExpiresMs],
    ['that its results are not kept', call.ignoreResult],
  ] as const;
  return named.filter(([, value]) => value !== undefined).map(([what]) => what);
}
