import { parse, resolve } from 'node:path';
import { parseByteSize } from '../engine/core/byte-size.ts';
import { MAX_TIMER_MS, parseDuration } from '../engine/core/duration.ts';
import { isRecord } from '../engine/core/envelope.ts';
import { createError } from '../engine/core/errors.ts';
import { nearestNames } from '../engine/core/nearest.ts';
import type { HealthSource } from './health/health-source.ts';
import type { HealthOptions } from './health/limits.ts';

/** How an app sets up the built-in tasks: `createApp({ builtins: { ... } })`. Folders are relative to the working directory. */
export interface BuiltinOptions {
  readonly email?: EmailOptions;
  readonly images?: ImageOptions;
  readonly files?: FileOptions;
  readonly health?: HealthOptions;
}

export interface EmailOptions {
  /** Sender of an e-mail that names none: `tq@example.com` or `Name <tq@example.com>`. Default EMAIL_FROM. */
  readonly from?: string;
  /** Folder of own templates (`NAME.html`, `NAME.txt`, `NAME.subject.txt`); they go before those that come with tq. */
  readonly templates?: string;
  /** The only folder that attachments are read from. Default `.tq/attachments`, so that no job can mail out other files. */
  readonly attachmentsRoot?: string;
  /** Most bytes of all attachments of an e-mail. Default 25 MiB. */
  readonly attachmentsLimit?: number;
  /** Where mail goes that has no SMTP server. Default `.tq/outbox`. */
  readonly outbox?: string;
}

export interface ImageOptions {
  /** The only folder that pictures are read from and written to. Default the working directory. */
  readonly root?: string;
  /** Most pixels of a picture, read or written. Default 100 million; a larger one is refused before it is decoded. */
  readonly maxPixels?: number;
  /** Most bytes of a picture that is read. Default 50 MiB. */
  readonly maxBytes?: number;
}

export interface FileOptions {
  /** The only folder that `file.cleanup` deletes in. Default `.tq/files`: nothing of yours is deleted before you say where. */
  readonly root?: string;
  /** The folder that `file.cleanup-temporary` deletes in. Default `.tq/tmp`. */
  readonly temporaryRoot?: string;
}

/** What the built-in tasks need of their surroundings; the process environment is read by the configuration. */
export interface BuiltinEnvironment {
  readonly smtpUrl: string | undefined;
  readonly emailFrom: string | undefined;
  /** NODE_ENV=production. */
  readonly production: boolean;
  readonly cwd: string;
  /** Epoch milliseconds; Date.now without it. */
  readonly now?: () => number;
  /** What the check of health asks. */
  readonly health: HealthSource;
}

/**
 * Checks the options of the built-in tasks.
 *
 * @throws INVALID_CONFIG that names every mistake: unknown keys with near names, wrong types with what was given
 */
export function parseBuiltinOptions(options: unknown): BuiltinOptions {
  const mistakes = [...listMistakes(options)];
  if (mistakes.length > 0) throw createError('INVALID_CONFIG', { source: '`builtins`', mistakes });
  return (options ?? {}) as BuiltinOptions;
}

interface Setting {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

const word: Setting = { expected: 'a text', fits: isText };
const folder: Setting = { expected: 'the path of a folder', fits: (value) => isText(value) && !value.includes('\0') };
const deletable: Setting = {
  expected: 'the path of a folder other than the root of the file system',
  fits: (value) => isText(value) && !value.includes('\0') && parse(resolve(value)).root !== resolve(value),
};
const count: Setting = {
  expected: 'a whole number above 0',
  fits: (value) => Number.isSafeInteger(value) && (value as number) > 0,
};
const countOrNone: Setting = {
  expected: 'a whole number, 0 or above',
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const percent: Setting = {
  expected: 'a number from 0 to 100',
  fits: (value) => typeof value === 'number' && value >= 0 && value <= 100,
};
const folders: Setting = {
  expected: 'a list of paths of folders',
  fits: (value) => Array.isArray(value) && value.every(folder.fits),
};
const span: Setting = {
  expected: 'a duration such as 500ms or 15m, above 0 and below 25 days',
  fits: (value) => {
    const ms = attempt(() => parseDuration(value as string, 'a setting'));
    return ms !== undefined && ms > 0 && ms <= MAX_TIMER_MS;
  },
};
const size: Setting = {
  expected: 'bytes, or a text such as 500MB',
  fits: (value) => attempt(() => parseByteSize(value as string, 'a setting')) !== undefined,
};

const SETTINGS: Readonly<Record<string, Readonly<Record<string, Setting>>>> = {
  email: {
    from: word,
    templates: folder,
    attachmentsRoot: folder,
    attachmentsLimit: count,
    outbox: folder,
  } satisfies Record<keyof EmailOptions, Setting>,
  images: { root: folder, maxPixels: count, maxBytes: count } satisfies Record<keyof ImageOptions, Setting>,
  files: { root: deletable, temporaryRoot: deletable } satisfies Record<keyof FileOptions, Setting>,
  health: {
    timeout: span,
    slowBroker: span,
    queueDepth: countOrNone,
    oldestWaiting: span,
    deadLetters: countOrNone,
    leastWorkers: countOrNone,
    leastDisk: size,
    folders,
    leastMemory: percent,
    processMemory: size,
  } satisfies Record<keyof HealthOptions, Setting>,
};

function* listMistakes(options: unknown): Generator<string> {
  if (options === undefined) return;
  if (!isRecord(options)) return yield `builtins must be an object or false, got ${show(options)}`;
  for (const [group, values] of Object.entries(options)) {
    const known = Object.hasOwn(SETTINGS, group) ? SETTINGS[group] : undefined;
    if (known === undefined) yield unknownKey(`builtins.${group}`, group, Object.keys(SETTINGS));
    else if (!isRecord(values)) {
      if (values !== undefined) yield `builtins.${group} must be an object, got ${show(values)}`;
    } else yield* listGroupMistakes(group, values, known);
  }
}

function* listGroupMistakes(
  group: string,
  values: Record<string, unknown>,
  known: Readonly<Record<string, Setting>>,
): Generator<string> {
  for (const [key, value] of Object.entries(values)) {
    const path = `builtins.${group}.${key}`;
    const setting = Object.hasOwn(known, key) ? known[key] : undefined;
    if (setting === undefined) yield unknownKey(path, key, Object.keys(known));
    else if (value !== undefined && !setting.fits(value))
      yield `${path} must be ${setting.expected}, got ${show(value)}`;
  }
}

function unknownKey(path: string, key: string, known: string[]): string {
  const [near] = nearestNames(key, known);
  return `${path} is unknown; ${near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`}`;
}

function attempt(read: () => number): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function show(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'object') return Array.isArray(value) ? 'a list' : typeof value;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
