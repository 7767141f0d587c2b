import * as v from 'valibot';
import { parseAlerts } from '../core/alert-rule.ts';
import { type ByteSize, parseByteSize } from '../core/byte-size.ts';
import { type Duration, formatDuration, parseDuration } from '../core/duration.ts';

/**
 * The kinds of values that settings have. Each schema takes what a config file holds and its only message is the end of
 * the sentence "… must be". Flags and variables are text: `fromText` makes of it what a file would hold, and leaves alone
 * what it cannot read, so that the schema refuses it with the text as it was given.
 */
export interface ValueKind<Schema extends v.GenericSchema = v.GenericSchema> {
  readonly schema: Schema;
  readonly fromText: (text: string) => unknown;
  /** For the table in docs/configuration.md. */
  readonly type: string;
}

const asIs = (text: string): unknown => text;

export function nameValue() {
  const name = v.custom<string>((value) => typeof value === 'string' && /^[^\s\p{Cc}]{1,200}$/u.test(value), 'a name');
  return { schema: name, fromText: asIs, type: 'name' } satisfies ValueKind;
}

/** Paths stay as given here; whoever knows the folder they are relative to makes them absolute. */
export function pathValue() {
  return { schema: v.custom<string>(isPath, 'the path of a file'), fromText: asIs, type: 'path' } satisfies ValueKind;
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && !value.includes('\0');
}

export function urlValue() {
  const hasScheme = (value: unknown): boolean => typeof value === 'string' && BROKER_URL.test(value);
  return {
    schema: v.custom<string>(hasScheme, 'a URL such as sqlite:jobs.db or redis://localhost:6379'),
    fromText: asIs,
    type: 'URL',
  } satisfies ValueKind;
}

/** The path of a SQLite file may hold spaces. */
const BROKER_URL = /^(?:sqlite:.+|[a-z][a-z0-9+.-]*:\S+)$/i;

export function resultsUrlValue() {
  const isUrl = (value: unknown): boolean =>
    typeof value === 'string' && /^(?:sqlite:.+|postgres(?:ql)?:\/\/\S+)$/i.test(value);
  return {
    schema: v.custom<string>(isUrl, 'a URL such as postgres://localhost/jobs or sqlite:results.db'),
    fromText: asIs,
    type: 'URL',
  } satisfies ValueKind;
}

export function booleanValue() {
  return {
    schema: v.boolean('true or false'),
    fromText: (text: string): unknown => BOOLEAN_TEXTS[text.toLowerCase()] ?? text,
    type: 'boolean',
  } satisfies ValueKind;
}

const BOOLEAN_TEXTS: Readonly<Record<string, boolean>> = Object.assign(Object.create(null), {
  ...{ '1': true, true: true, yes: true, on: true },
  ...{ '0': false, false: false, no: false, off: false },
});

export function wholeNumberValue(min: number, max: number) {
  const message = `a whole number from ${min} to ${max}`;
  const schema = v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
  // "1e3" and "0x10" are numbers to JavaScript and more likely slips to a person.
  const fromText = (text: string): unknown => (/^\d{1,15}$/.test(text) ? Number(text) : text);
  return { schema, fromText, type: `${min} to ${max}` } satisfies ValueKind;
}

/** Milliseconds when a number, which only a file can hold: as a variable `30` could as well be meant as seconds. */
export function durationValue(minMs: number) {
  const message = `a duration of ${formatDuration(minMs)} or more, such as 30s, 5m or 2h`;
  const schema = v.pipe(
    v.custom<Duration>((value) => typeof value === 'string' || typeof value === 'number', message),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const ms = readDuration(dataset.value);
      if (ms !== undefined && ms >= minMs) return ms;
      addIssue({ message });
      return NEVER;
    }),
  );
  return { schema, fromText: asIs, type: 'duration' } satisfies ValueKind;
}

function readDuration(value: Duration): number | undefined {
  try {
    return parseDuration(value, 'duration');
  } catch {
    return undefined;
  }
}

/** Bytes of a text such as `500MB`. A number, also one in a text, is MiB: nobody limits a process to some bytes. */
export function memoryValue() {
  const message = '1MB or more, such as 500MB or 2GB; a number is MiB';
  const schema = v.pipe(
    v.custom<ByteSize>((value) => typeof value === 'string' || typeof value === 'number', message),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const bytes = readBytes(dataset.value);
      if (bytes !== undefined && bytes >= MIB) return bytes;
      addIssue({ message });
      return NEVER;
    }),
  );
  return { schema, fromText: asIs, type: 'memory' } satisfies ValueKind;
}

const MIB = 2 ** 20;

function readBytes(value: ByteSize): number | undefined {
  const isPlain = typeof value === 'number' || /^\s*\d+(?:\.\d+)?\s*$/.test(value);
  try {
    return parseByteSize(isPlain ? Math.round(Number(value) * MIB) : value, 'memory');
  } catch {
    return undefined;
  }
}

/** `10,2` is at most 10 and at least 2, `10` at least 1; in a file also `{ max: 10, min: 2 }`. */
export function autoscaleValue(limit: number) {
  const message = `MAX,MIN or MAX: whole numbers from 1 to ${limit}, MAX the larger one`;
  const schema = v.pipe(
    v.custom<string | { readonly max: number; readonly min?: number }>((value) => isGiven(value), message),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const bounds = readBounds(dataset.value);
      if (bounds !== undefined && bounds.min >= 1 && bounds.min <= bounds.max && bounds.max <= limit) return bounds;
      addIssue({ message });
      return NEVER;
    }),
  );
  return { schema, fromText: asIs, type: 'MAX,MIN' } satisfies ValueKind;
}

const isGiven = (value: unknown): boolean => typeof value === 'string' || (typeof value === 'object' && value !== null);

function readBounds(value: string | { readonly max: number; readonly min?: number }) {
  if (typeof value !== 'string') {
    const { max, min = 1, ...more } = value;
    return Number.isInteger(max) && Number.isInteger(min) && Object.keys(more).length === 0 ? { max, min } : undefined;
  }
  const [, max, min = '1'] = /^(\d{1,9})(?:\s*,\s*(\d{1,9}))?$/.exec(value) ?? [];
  return max === undefined ? undefined : { max: Number(max), min: Number(min) };
}

export function choiceValue<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return {
    schema: v.picklist(choices, `one of ${choices.join(', ')}`),
    fromText: (text: string): unknown => text.toLowerCase(),
    type: choices.join(', '),
  } satisfies ValueKind;
}

/** BullMQ refuses a colon in the name of a queue: it separates the parts of a Redis key. */
export function queueNamesValue() {
  const isName = (value: unknown): boolean => typeof value === 'string' && /^[^\s:,\p{Cc}]{1,200}$/u.test(value);
  return namesValue(isName, 'names of queues, without spaces and colons');
}

/** `high:6` is the queue `high` with the weight 6. */
export function weightedQueuesValue() {
  const isName = (value: unknown): boolean =>
    typeof value === 'string' && /^[^\s:,\p{Cc}]{1,200}(?::0*[1-9]\d{0,3})?$/u.test(value);
  return namesValue(isName, 'names of queues, without spaces, or with a weight as in high:6');
}

/** What is wrong with rules is said of each, with its place, and shows nothing of what they hold. */
export function alertsValue() {
  const schema = v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const { rules, mistakes } = parseAlerts(dataset.value);
      if (mistakes.length === 0) return rules;
      addIssue({ message: mistakes.join('; ') });
      return NEVER;
    }),
  );
  return { schema, fromText: asIs, type: 'rules' } satisfies ValueKind;
}

/** pino's notation: `password`, `user.email`, `*.token`, `headers["set-cookie"]`. */
export function redactPathsValue() {
  const isPath = (value: unknown): boolean => typeof value === 'string' && REDACT_PATH.test(value);
  return namesValue(isPath, 'paths such as password, user.email, *.token or headers["set-cookie"]');
}

const REDACT_PATH =
  /^(?:[^\s.,[\]"'`]+|\[(?:\*|\d+|"[^"\],]+"|'[^'\],]+')\])(?:\.[^\s.,[\]"'`]+|\[(?:\*|\d+|"[^"\],]+"|'[^'\],]+')\])*$/;

function namesValue(isName: (value: unknown) => boolean, message: string) {
  const list = v.custom<readonly string[]>((value) => Array.isArray(value) && value.every(isName), message);
  const fromText = (text: string): unknown => text.split(',').map((name) => name.trim());
  return {
    schema: v.pipe(
      list,
      v.transform((names): readonly string[] => [...new Set(names)]),
    ),
    fromText,
    type: 'list',
  } satisfies ValueKind;
}
