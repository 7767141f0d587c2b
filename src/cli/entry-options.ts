import { isRecord } from '../engine/core/envelope.ts';
import { createError } from '../engine/core/errors.ts';
import { parseSchedule } from '../engine/core/schedule/schedule-options.ts';
import type { EntryChoice } from '../ops/entry-choice.ts';
import { type ScheduleInput, toScheduleOptions } from '../ops/entry-schedule.ts';
import type { ArgumentDefinition, Values } from './command.ts';
import { readDuration, readInteger, readJson, readText } from './option-values.ts';
import type { OptionDefinition } from './options.ts';

/** How the commands of schedule entries are told when one fires. */
export const scheduleOptions: readonly OptionDefinition[] = [
  { flags: '--every <duration>', summary: 'fire at this distance, 1s or more: 5m is due at :00, :05, :10' },
  { flags: '--cron <expression>', summary: "cron of five fields, or six with seconds: '0 3 * * mon-fri', @daily" },
  { flags: '--at <date>', summary: 'fire once, at this ISO 8601 date' },
  {
    flags: '--solar <event>',
    summary: 'fire at an event of the sun: sunrise, sunset, dawn_civil, …; with --lat and --lon',
  },
  { flags: '--lat <degrees>', summary: 'latitude for --solar, north positive; --lat=-33.9 in the south' },
  { flags: '--lon <degrees>', summary: 'longitude for --solar, east positive' },
  {
    flags: '--timezone <zone>',
    summary: 'IANA name that cron and dates without an offset are read in; that of the app without it, else UTC',
  },
  { flags: '--start <date>', summary: 'not due before it; --every counts from it' },
  { flags: '--end <date>', summary: 'not due after it' },
  { flags: '--max-runs <number>', summary: 'fire so many times at most' },
];

export interface ScheduleOptionValues {
  readonly every?: string;
  readonly cron?: string;
  readonly at?: string;
  readonly solar?: string;
  readonly lat?: string;
  readonly lon?: string;
  readonly timezone?: string;
  readonly start?: string;
  readonly end?: string;
  readonly maxRuns?: string;
  readonly jitter?: string;
}

const KINDS = ['every', 'cron', 'at', 'solar'] as const;

/** How many of the options were given that say when an entry fires. */
export function countKinds(options: ScheduleOptionValues): number {
  return KINDS.filter((kind) => options[kind] !== undefined).length;
}

/**
 * @param entry its name, for errors
 * @throws USAGE unless one option says when it fires; INVALID_OPTION, INVALID_SCHEDULE
 */
export function readSchedule(options: ScheduleOptionValues, entry: string): ScheduleInput {
  if (countKinds(options) !== 1) {
    const given = KINDS.filter((kind) => options[kind] !== undefined).map((kind) => `--${kind}`);
    throw createError('USAGE', {
      message: given.length === 0 ? 'nothing says when it fires' : `${given.join(' and ')} were both given`,
      next: "give one of --every 5m, --cron '0 3 * * *', --at DATE and --solar EVENT --lat DEGREES --lon DEGREES",
    });
  }
  const given: { readonly [Key in keyof ScheduleInput]: ScheduleInput[Key] | undefined } = {
    everyMs: readDuration(options.every, '--every'),
    cron: readCron(options.cron),
    at: readText(options.at, '--at'),
    solar: readSolar(options),
    timezone: readText(options.timezone, '--timezone'),
    startAt: readText(options.start, '--start'),
    endAt: readText(options.end, '--end'),
    maxRuns: readInteger(options.maxRuns, '--max-runs', { min: 1, max: 1_000_000_000 }),
    jitterMs: readDuration(options.jitter, '--jitter'),
  };
  const schedule = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as ScheduleInput;
  // Mistakes are found here, before anything is opened.
  parseSchedule(toScheduleOptions(schedule), entry);
  return schedule;
}

/** An object is Celery's form: it says what no expression does, days that fit by number and by weekday. */
function readCron(text: string | undefined): ScheduleInput['cron'] | undefined {
  const cron = readText(text, '--cron');
  if (cron?.trimStart().startsWith('{') !== true) return cron;
  const value = readJson(cron, '--cron');
  return isRecord(value) ? value : cron;
}

function readSolar({ solar, lat, lon }: ScheduleOptionValues): ScheduleInput['solar'] | undefined {
  if (solar === undefined) {
    if (lat === undefined && lon === undefined) return undefined;
    throw createError('USAGE', { message: '--lat and --lon were given without --solar', next: 'add --solar sunset' });
  }
  return { event: solar, latitude: readDegrees(lat, '--lat'), longitude: readDegrees(lon, '--lon') };
}

function readDegrees(text: string | undefined, flag: string): number {
  const value = text === undefined || !/^[+-]?\d{1,3}(\.\d+)?$/.test(text) ? Number.NaN : Number(text);
  if (!Number.isNaN(value)) return value;
  const given = text === undefined ? 'nothing' : JSON.stringify(text);
  throw createError('INVALID_OPTION', { what: flag, expected: 'degrees such as 52.52', given });
}

export const entryArgument: ArgumentDefinition = {
  name: '<name>',
  summary: 'name of the schedule entry',
  completion: 'entries',
};

/** How the commands that change entries are told which. */
export const entryChoiceArgument: ArgumentDefinition = {
  name: '[names...]',
  summary: 'names of schedule entries',
  completion: 'entries',
};

export const entryChoiceOptions: readonly OptionDefinition[] = [
  { flags: '--where <pattern>', summary: "those whose name fits a pattern: 'report.*'; shown first, and asked about" },
  { flags: '--all', summary: 'every schedule entry; shown first, and asked about' },
];

export interface EntryChoiceOptions {
  readonly where?: string;
  readonly all?: boolean;
}

/**
 * @param command the words of the command after `tq`
 * @throws USAGE unless entries are chosen in one way
 */
export function readEntryChoice(
  command: string,
  { arguments: given, options }: Values<EntryChoiceOptions>,
): EntryChoice {
  const names = given.filter((name) => name !== undefined && name !== '') as string[];
  const where = readText(options.where, '--where');
  const ways = [names.length > 0, where !== undefined, options.all === true].filter(Boolean).length;
  if (ways !== 1) {
    throw createError('USAGE', {
      message: `${command} was given ${ways === 0 ? 'no schedule entry' : 'more than one choice of entries'}`,
      next: "name the entries, or give --where 'report.*', or --all; --dry-run only looks",
    });
  }
  if (where !== undefined && !/[*?]/.test(where)) {
    throw createError('USAGE', {
      message: `--where ${JSON.stringify(where)} is no pattern`,
      next: `give the name as an argument: \`tq ${command} ${where}\`, or a pattern such as '${where}*'`,
    });
  }
  if (names.length > 0) return { names };
  return where === undefined ? { all: true } : { where };
}
