import type { RevokeAllReport } from '../../../engine/app/revoke-all.ts';
import type { ExitCode } from '../../../engine/core/error-catalogue.ts';
import { createError } from '../../../engine/core/errors.ts';
import type { Happened, RevokedJob } from '../../../engine/core/revocation.ts';
import { defineCommand, type Values } from '../../command.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';
import {
  type AddressedOptions,
  describeGaps,
  presentReplies,
  REPLY_FIELDS,
  readAddressed,
} from '../../worker-replies.ts';

interface RevokeOptions extends AddressedOptions {
  readonly queue?: string;
  readonly terminate?: boolean;
}

export const controlRevoke = defineCommand({
  name: 'control revoke',
  summary: 'Revoke jobs and workflows: never start what waits, abort what runs',
  details: [
    'The id of a workflow stands for all of it that has not ended, also for what its steps lead to while it is revoked.',
    'A job that waits or is scheduled is marked in the broker: it never starts, also when no worker is up. One that runs has',
    'its signal aborted; with --terminate its process is ended (pool prefork), or its function is waited for no more (async).',
    'The command waits for running jobs, at most --timeout (5s). Exit codes: 0 none of them will run any more, 1 one ignored',
    'the signal, was not asked, or its worker answered with an error, 3 all ids are unknown, 4 the worker of one did not answer.',
  ].join('\n'),
  arguments: [
    {
      name: '<ids...>',
      summary: 'ids of jobs and workflows; - reads them from stdin, a line each',
      completion: 'ids',
      stdin: true,
    },
  ],
  options: [
    sharedOptions.queue,
    { flags: '--terminate', summary: 'end the processes of running jobs instead of aborting their signals' },
    sharedOptions.destination,
  ],
  examples: [
    { command: 'tq control revoke 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --dry-run', does: 'only look what it is' },
    {
      command: 'tq control revoke 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4',
      does: 'revoke one job, and say what happened',
    },
    { command: 'tq control revoke 17 --queue mail --terminate', does: 'also end the process that runs it' },
    { command: 'tq control revoke - --yes --json', does: 'revoke the jobs whose ids come on stdin' },
  ],
  json: [...REPLY_FIELDS, 'jobs', 'workflows'],
  operation: async () => (await import('../../../ops/revoke-jobs.ts')).revokeJobs,
  toInput(values: Values<RevokeOptions>) {
    const ids = values.arguments.map((id = '') => id.trim()).filter((id) => id !== '');
    if (ids.length === 0) {
      throw createError('USAGE', {
        message: 'revoke was given no id',
        next: 'name jobs by their ids, or give - and ids on stdin',
      });
    }
    const { queue, terminate } = values.options;
    return { ids, queue: readText(queue, '--queue'), terminate, ...readAddressed(values) };
  },
  present(report) {
    const { jobs, answers, workflows } = report;
    const { json } = presentReplies(report, { blocks: [], json: { jobs, workflows } });
    return {
      json,
      blocks: [
        table(
          [
            { key: 'id', title: 'ID', as: 'text' },
            { key: 'task', title: 'TASK', as: 'text', shrinks: true },
            { key: 'queue', title: 'QUEUE', as: 'text', shrinks: true },
            { key: 'happened', title: 'HAPPENED', as: 'text' },
            { key: 'state', title: 'STATE', as: 'state' },
            { key: 'worker', title: 'WORKER', as: 'text', shrinks: true },
          ],
          jobs,
          'no job was revoked',
        ),
      ],
      problems: answers.size + report.silent.length === 0 ? [] : describeGaps(report),
      notes: [...describeRest(jobs), ...describeWorkflows(report)],
      exitCode: exitCodeOf(report),
    };
  },
});

/** What is left to do, a line for each thing that happened to some of them. */
const REST: Partial<Record<Happened, string>> = {
  'ignored the signal': 'still run and will not be retried; --terminate ends them',
  'given up': 'are waited for no more, but their functions go on in their workers until these end',
  'no answer': 'are active on a worker that did not answer; they will not be started again',
  'not asked': 'are active on a worker that was not asked; they will not be started again',
  orphaned: 'are active without a live worker; they will not be started again',
  unknown: 'are unknown: no queue holds them, or their results have expired',
};

function describeRest(jobs: readonly RevokedJob[]): string[] {
  return Object.entries(REST).flatMap(([happened, text]) => {
    const count = jobs.filter((job) => job.happened === happened).length;
    return count === 0 ? [] : [`${count} of ${jobs.length} ${text}`];
  });
}

function describeWorkflows({ jobs, workflows }: RevokeAllReport): string[] {
  if (jobs.every(({ happened }) => happened === 'had finished' || happened === 'unknown')) return [];
  return workflows.map((id) => `\`tq trace ${id}\` shows what is left of the workflow`);
}

function exitCodeOf({ jobs, answers }: RevokeAllReport): 0 | ExitCode {
  const has = (happened: Happened): boolean => jobs.some((job) => job.happened === happened);
  if (has('ignored the signal') || has('not asked') || [...answers.values()].some(({ ok }) => !ok)) return 1;
  if (has('no answer')) return 4;
  return jobs.every(({ happened }) => happened === 'unknown') ? 3 : 0;
}
