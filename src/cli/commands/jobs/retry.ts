import { createError } from '../../../engine/core/errors.ts';
import { parseJobQuery } from '../../../engine/jobs/job-query.ts';
import { defineCommand, type Values } from '../../command.ts';
import { CHANGE_FIELDS, exitCodeOf, listFailures, listStop } from '../../job-changes.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { line } from '../../presentation.ts';

export const jobsRetry = defineCommand({
  name: 'jobs retry',
  summary: 'Send dead letters back to work, of a workflow all',
  details: [
    'A job goes back to its queue as if it had never run, with all its attempts. The id of a workflow stands for every dead letter',
    'of it; what had failed because of them waits again, and goes on when all of them have succeeded. A step that is retried by',
    'its own id leads its workflow on as well.',
    'Exit codes: 0 all of them went back, 1 one did not, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [
    {
      name: '[ids...]',
      summary: 'ids of jobs and workflows; - reads them from stdin, a line each',
      completion: 'ids',
      stdin: true,
    },
  ],
  options: [
    sharedOptions.queue,
    {
      ...sharedOptions.where,
      summary: "dead letters that a query takes: 'task:email.* error~timeout' (docs/queries.md)",
    },
    sharedOptions.noUndo,
  ],
  examples: [
    { command: 'tq jobs retry 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --dry-run', does: 'only look what would go back' },
    {
      command: 'tq jobs retry 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4',
      does: 'retry a dead letter, or what failed of a workflow',
    },
  ],
  json: [...CHANGE_FIELDS, 'workflows'],
  operation: async () => (await import('../../../ops/retry-jobs.ts')).retryJobs,
  toInput({ arguments: given, options }: Values<{ queue?: string; where?: string }>) {
    const ids = given.map((id = '') => id.trim()).filter((id) => id !== '');
    const where = readText(options.where, '--where');
    const queue = readText(options.queue, '--queue');
    if (where !== undefined && ids.length === 0 && queue === undefined) {
      parseJobQuery(where, 0);
      return { where };
    }
    if (ids.length === 0 || where !== undefined) {
      throw createError('USAGE', {
        message: `retry was given ${where === undefined ? 'no id' : 'a query beside ids or a queue'}`,
        next: 'name jobs by their ids, or give - and ids on stdin, or a query alone: --where "queue:mail error~timeout"',
      });
    }
    return { ids, queue };
  },
  present: (result) => ({
    json: result,
    blocks: [line(`${result.changed} of ${result.matched} went back to work`)],
    problems: [...listFailures(result.failed, result.failedCount), ...listStop(result.stopped)],
    notes:
      result.changed === 0 ? [] : result.workflows.map((id) => `\`tq trace ${id}\` shows how the workflow goes on`),
    exitCode: exitCodeOf(result),
  }),
});
