import { isFinished } from '../../engine/core/state.ts';
import type { CalledJob } from '../../ops/call-task.ts';
import { bothGiven, readArguments } from '../call-arguments.ts';
import { defineCommand, type Values } from '../command.ts';
import { presentResult } from '../job-result.ts';
import { isIsoDate, readDuration, readInstant, readInteger, readPairs, readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';
import { line } from '../presentation.ts';

interface Options {
  readonly args?: string;
  readonly input?: string;
  readonly queue?: string;
  readonly priority?: string;
  readonly countdown?: string;
  readonly eta?: string;
  readonly expires?: string;
  readonly id?: string;
  readonly header?: readonly string[];
  readonly wait?: boolean;
}

export const call = defineCommand({
  name: 'call',
  summary: 'Call a task: enqueue one job',
  details:
    'Prints the id of the job. With --wait it prints what `tq result` prints, and its exit code is that of the result.',
  arguments: [{ name: '<task>', summary: 'name of the task', completion: 'tasks' }],
  options: [
    { flags: '--args <json>', summary: 'the arguments, a JSON array', stdin: true },
    { flags: '--input <json>', summary: 'the only argument, any JSON value; - reads it from stdin', stdin: true },
    { flags: '--queue <name>', summary: 'queue to use in place of that of the task', completion: 'queues' },
    { flags: '--priority <number>', summary: '0 to 9, 9 goes first; for queues with priorities' },
    { flags: '--countdown <duration>', summary: 'start no earlier than this long from now' },
    { flags: '--eta <date>', summary: 'start no earlier than this instant, ISO 8601' },
    { flags: '--expires <when>', summary: 'revoke it if it has not started within this duration, or by this date' },
    { flags: '--id <id>', summary: 'id of the job; a job with an id that is stored already is left as it is' },
    { flags: '--header <name=value>', summary: 'header of the job; may be given several times', many: 'whole' },
    sharedOptions.wait,
  ],
  examples: [
    {
      command: `tq call email.send --input '{"to":"a@example.com","subject":"Hi"}' --dry-run`,
      does: 'see where a job would go',
    },
    {
      command: `tq call email.send --input '{"to":"a@example.com","subject":"Hi","text":"Hello"}'`,
      does: 'enqueue a job',
    },
    { command: `tq call report.build --args '["2031", 5]' --wait --timeout 30s`, does: 'wait for the result' },
    {
      command: 'tq call report.build --input - --countdown 10m --queue reports',
      does: 'read the argument from stdin, start later',
    },
  ],
  json: ['id', 'task', 'queue', 'state', 'duplicate'],
  operation: async () => (await import('../../ops/call-task.ts')).callTask,
  toInput({ arguments: [task = ''], options, timeoutMs }: Values<Options>) {
    assertOneTime(options);
    return {
      task,
      args: readArguments(options),
      queue: readText(options.queue, '--queue'),
      priority: readInteger(options.priority, '--priority', { min: 0, max: 9 }),
      countdownMs: readDuration(options.countdown, '--countdown'),
      etaAt: readInstant(options.eta, '--eta'),
      ...readExpiry(options.expires),
      id: readText(options.id, '--id'),
      headers: readPairs(options.header, '--header'),
      wait: options.wait,
      timeoutMs,
    };
  },
  present(called) {
    if ('attempts' in called) return presentResult(called);
    return {
      json: called,
      blocks: [line(called.id)],
      notes: describeEarlier(called),
    };
  },
});

function describeEarlier({ state, duplicate }: CalledJob): string[] {
  if (duplicate) return [`nothing was stored: this job with the same unique key is there already and is ${state}`];
  return isFinished(state) ? [`it was called before and is ${state}`] : [];
}

function assertOneTime({ countdown, eta }: Options): void {
  if (countdown !== undefined && eta !== undefined) throw bothGiven('--countdown', '--eta');
}

function readExpiry(text: string | undefined): { expiresMs?: number | undefined; expiresAt?: number | undefined } {
  if (text === undefined || !isIsoDate(text)) return { expiresMs: readDuration(text, '--expires') };
  return { expiresAt: readInstant(text, '--expires') };
}
