import { escapeControl } from '../engine/core/escape.ts';
import type { StoredError } from '../engine/core/job.ts';
import { describeUntold } from '../ops/job-attempts.ts';
import type { JobDetails } from '../ops/show-job.ts';
import { attemptHistory } from './attempt-history.ts';
import { type Block, type Presentation, sheet } from './presentation.ts';

/** What `--json` prints of one job. */
export const JOB_FIELDS = [
  ...['id', 'task', 'queue', 'state', 'args', 'priority', 'createdAt', 'dueAt', 'startedAt', 'finishedAt'],
  ...['attempts', 'workersLost', 'worker', 'progress', 'result', 'error', 'fingerprint', 'reason', 'stacks'],
  ...['attemptHistory', 'unique', 'unreadable', 'requestId', 'rootId', 'parentId', 'scheduleEntry', 'schedule'],
  ...[
    'reprocessed',
    'workflow',
    'step',
    'waitedForBy',
    'waitsFor',
    'waitsForCount',
    'expiresAt',
    'softTimeLimitMs',
    'timeLimitMs',
  ],
  ...['retry', 'headers', 'log'],
];

/** Everything about a job for a person: what it is and what it came to, its log, and its attempts with the latest at the bottom. */
export function presentJob(job: JobDetails): Presentation {
  const { id, workflow, attemptHistory: attempts } = job;
  return {
    json: job,
    blocks: [
      sheet([
        { title: 'id', as: 'text', value: id },
        { title: 'task', as: 'text', value: job.task },
        { title: 'queue', as: 'text', value: job.queue },
        { title: 'state', as: 'state', value: job.state },
        { title: 'reason', as: 'text', value: job.reason },
        { title: 'error', as: 'text', value: job.error === null ? null : describeError(job.error) },
        { title: 'fingerprint', as: 'text', value: job.fingerprint },
        { title: 'unreadable', as: 'text', value: job.unreadable },
        { title: 'progress', as: 'progress', value: job.progress },
        { title: 'attempts', as: 'number', value: job.attempts },
        { title: 'workers lost', as: 'number', value: job.workersLost },
        { title: 'worker', as: 'text', value: job.worker },
        { title: 'priority', as: 'number', value: job.priority },
        { title: 'created', as: 'instant', value: job.createdAt },
        { title: 'due', as: 'instant', value: job.dueAt },
        { title: 'expires', as: 'instant', value: job.expiresAt },
        { title: 'started', as: 'instant', value: job.startedAt },
        { title: 'finished', as: 'instant', value: job.finishedAt },
        { title: 'soft time limit', as: 'duration', value: job.softTimeLimitMs },
        { title: 'time limit', as: 'duration', value: job.timeLimitMs },
        { title: 'retry', as: 'json', value: job.retry },
        { title: 'unique', as: 'text', value: job.unique },
        { title: 'request id', as: 'text', value: job.requestId },
        { title: 'root id', as: 'text', value: job.rootId },
        { title: 'parent id', as: 'text', value: job.parentId },
        { title: 'schedule', as: 'text', value: job.schedule?.entry ?? job.scheduleEntry },
        { title: 'firing of', as: 'instant', value: job.schedule?.dueAt ?? null },
        { title: 'workflow', as: 'text', value: workflow },
        { title: 'step', as: 'number', value: job.step },
        { title: 'waited for by', as: 'text', value: job.waitedForBy === null ? null : nameOf(job.waitedForBy) },
        { title: 'headers', as: 'json', value: isEmpty(job.headers) ? null : job.headers },
        { title: 'waits for', as: 'lines', value: listChildren(job) },
      ]),
      json('args', job.args),
      json('result', job.result),
      sheet([{ title: 'log', as: 'lines', value: isEmpty(job.log) ? null : job.log }]),
      attemptHistory(attempts, job.reprocessed),
    ],
    notes: [
      ...describeUntold(job, attempts),
      ...(workflow === null ? [] : [`\`tq trace ${id}\` shows its place in its workflow`]),
    ],
  };
}

function describeError({ name, code, message }: StoredError): string {
  return `${name}${code === null ? '' : ` [${code}]`}: ${message}`;
}

function nameOf({ id, queue }: { readonly id: string; readonly queue: string }): string {
  return `${id} in queue ${queue}`;
}

function listChildren({ waitsFor, waitsForCount }: JobDetails): string[] | null {
  if (waitsForCount === 0) return null;
  const more = waitsForCount - waitsFor.length;
  const rows = waitsFor.map((child) => `${child.end.padEnd('pending'.length)}  ${nameOf(child)}`);
  return more === 0 ? rows : [...rows, `${more} more`];
}

/** What a terminal shows of a long value; `--json` and a pipe have all of it. */
const MAX_SHOWN = 4000;
const ONE_LINE = 60;

/** A value of a job: on one line where it is short, indented where it is not. */
function json(title: string, value: unknown): Block {
  return {
    kind: 'drawn',
    draw({ isTerminal, paint }) {
      const text = value === null ? '' : JSON.stringify(value);
      if (!isTerminal) return `${title}\t${escapeControl(text)}\n`;
      if (value === null) return '';
      if (text.length <= ONE_LINE) return `${paint('title', title)}  ${escapeControl(text)}\n`;
      const long = JSON.stringify(value, null, 2);
      const shown = escapeControl(long.slice(0, MAX_SHOWN), true).replace(/^/gm, '  ');
      const more = long.length - MAX_SHOWN;
      return `${paint('title', title)}\n${shown}\n${more > 0 ? paint('faint', `  ${more} characters more; --json prints all`).concat('\n') : ''}`;
    },
  };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
