import { createError } from '../../../engine/core/errors.ts';
import { readArguments } from '../../call-arguments.ts';
import { defineCommand, type Values } from '../../command.ts';
import { readSchedule, type ScheduleOptionValues, scheduleOptions } from '../../entry-options.ts';
import { readChoice, readDuration, readInteger, readPairs, readText } from '../../option-values.ts';
import { sheet } from '../../presentation.ts';

const OVERLAPS = ['allow', 'skip', 'replace'] as const;
const POLICIES = ['skip', 'once', 'all'] as const;

interface Options extends ScheduleOptionValues {
  readonly task?: string;
  readonly args?: string;
  readonly input?: string;
  readonly queue?: string;
  readonly priority?: string;
  readonly expires?: string;
  readonly softTimeLimit?: string;
  readonly timeLimit?: string;
  readonly header?: readonly string[];
  readonly overlap?: string;
  readonly missed?: string;
  readonly missedWithin?: string;
  readonly missedAtMost?: string;
  readonly description?: string;
  readonly paused?: boolean;
  readonly replace?: boolean;
}

export const scheduleAdd = defineCommand({
  name: 'schedule add',
  summary: 'Add a schedule entry, or change one',
  details: [
    'It fires from now on, whether a beat runs or not. With an app (-A or tq.config) the task must be registered there and its schema',
    'take the arguments; with the broker alone nobody can check them, and a note says so.',
    'An entry of that name is left as it is, and the difference shown, unless --replace changes it to what is given here, all of it.',
  ].join('\n'),
  arguments: [{ name: '<name>', summary: 'name of the schedule entry' }],
  options: [
    { flags: '--task <name>', summary: 'task to call', completion: 'tasks' },
    ...scheduleOptions,
    {
      flags: '--jitter <duration>',
      summary: 'start up to this long after the due time, each firing at its own moment',
    },
    { flags: '--args <json>', summary: 'the arguments, a JSON array', stdin: true },
    { flags: '--input <json>', summary: 'the only argument, any JSON value; - reads it from stdin', stdin: true },
    { flags: '--queue <name>', summary: 'queue to use in place of that of the task', completion: 'queues' },
    { flags: '--priority <number>', summary: '0 to 9, 9 goes first; for queues with priorities' },
    { flags: '--expires <duration>', summary: 'revoke a firing that has not started this long after it was due' },
    { flags: '--soft-time-limit <duration>', summary: 'abort the signal of a firing that runs longer' },
    { flags: '--time-limit <duration>', summary: 'end a firing that runs longer' },
    { flags: '--header <name=value>', summary: 'header of its jobs; may be given several times', many: 'whole' },
    {
      flags: '--overlap <rule>',
      summary: 'when the firing before still runs: allow, skip the new one, replace the old one; allow without it',
      choices: OVERLAPS,
    },
    {
      flags: '--missed <policy>',
      summary: 'due times that passed while nobody ran: skip, once, all; once without it',
      choices: POLICIES,
    },
    { flags: '--missed-within <duration>', summary: 'only those that were due this long ago at most; 1m for skip' },
    { flags: '--missed-at-most <number>', summary: 'with --missed all: so many at most, the latest; 100 without it' },
    { flags: '--description <text>', summary: 'what it is for' },
    { flags: '--paused', summary: 'it does not fire before `tq schedule resume`' },
    { flags: '--replace', summary: 'change the entry of that name, if there is one' },
  ],
  examples: [
    {
      command:
        "tq schedule add report.nightly --task report.build --cron '0 3 * * *' --timezone Europe/Berlin --dry-run",
      does: 'see when it would fire first',
    },
    { command: 'tq schedule add cache.warm --task cache.warm --every 5m --overlap skip', does: 'never twice at once' },
    {
      command: `tq schedule add launch --task email.send --at 2031-05-01T09:00 --timezone Europe/Berlin --input '{"to":"a@example.com"}'`,
      does: 'once, at a time',
    },
    {
      command: 'tq schedule add lamps.on --task lamps.switch --solar sunset --lat 52.52 --lon 13.405 --jitter 2m',
      does: 'at sunset in Berlin, or up to two minutes later',
    },
    {
      command:
        'tq schedule add sync --task sync.run --every 10m --missed all --missed-within 2h --missed-at-most 50 --replace',
      does: 'make up for what was missed in the last two hours',
    },
  ],
  json: ['name', 'task', 'queue', 'schedule', 'timezone', 'enabled', 'nextAt', 'outcome', 'checked'],
  operation: async () => (await import('../../../ops/add-entry.ts')).addEntry,
  toInput({ arguments: [name = ''], options }: Values<Options>) {
    const task = readText(options.task, '--task');
    if (task === undefined) {
      throw createError('USAGE', { message: 'schedule add was given no task', next: 'name it with --task' });
    }
    return {
      ...{ name, task, args: readArguments(options), ...readSchedule(options, name) },
      queue: readText(options.queue, '--queue'),
      priority: readInteger(options.priority, '--priority', { min: 0, max: 9 }),
      expiresMs: readDuration(options.expires, '--expires'),
      softTimeLimitMs: readDuration(options.softTimeLimit, '--soft-time-limit'),
      timeLimitMs: readDuration(options.timeLimit, '--time-limit'),
      headers: readPairs(options.header, '--header'),
      overlap: readChoice(options.overlap, '--overlap', OVERLAPS),
      ...readMissed(options),
      description: options.description,
      paused: options.paused,
      replace: options.replace,
    };
  },
  present: (added) => ({
    json: added,
    blocks: [
      sheet([
        { title: 'name', as: 'text', value: added.name },
        { title: 'task', as: 'text', value: added.task },
        { title: 'queue', as: 'text', value: added.queue },
        { title: 'fires', as: 'text', value: added.schedule },
        { title: 'next', as: 'instant', value: added.nextAt },
      ]),
    ],
    notes: [
      `${OUTCOMES[added.outcome]} schedule entry "${added.name}"`,
      ...(added.enabled ? [] : [`it is paused; \`tq schedule resume ${added.name}\` lets it fire`]),
      ...(added.enabled && added.nextAt === null ? ['it does not fire: all its due times have passed'] : []),
      ...(added.checked
        ? []
        : [
            `nobody checked task "${added.task}" and its arguments, since no app was named with -A; its jobs go to queue "${added.queue}"`,
          ]),
    ],
  }),
});

const OUTCOMES = {
  added: 'added',
  changed: 'changed',
  unchanged: 'nothing was changed: there is the same',
} as const;

function readMissed(options: Options) {
  const missed = readChoice(options.missed, '--missed', POLICIES);
  const missedAtMost = readInteger(options.missedAtMost, '--missed-at-most', { min: 1, max: 1000 });
  if (missedAtMost !== undefined && missed !== 'all') {
    const message = '--missed-at-most was given without --missed all';
    throw createError('USAGE', { message, next: 'add --missed all: the other policies make up for one run at most' });
  }
  return { missed, missedWithinMs: readDuration(options.missedWithin, '--missed-within'), missedAtMost };
}
