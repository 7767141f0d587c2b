import { createError } from '../../../engine/core/errors.ts';
import { defineCommand, type Values } from '../../command.ts';
import { listFailures } from '../../job-changes.ts';
import { readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { line } from '../../presentation.ts';

interface Options {
  readonly queue?: string;
  readonly skipInvalid?: boolean;
}

export const jobsImport = defineCommand({
  name: 'jobs import',
  summary: 'Store the jobs of a file that was exported',
  details: [
    'Every line is checked before anything is stored. Jobs keep their ids, so the same file can be imported again: what its queue holds',
    'already is left as it is, and counted. Jobs that ran when they were exported wait again. docs/moving-jobs.md has the format.',
    'Exit codes: 0 all are there now, 1 some are not, or the file cannot be read.',
  ].join('\n'),
  arguments: [
    {
      name: '<file>',
      summary: 'NDJSON of `tq jobs export` or `tq dlq export`, packed with gzip or not; - is stdin',
      completion: 'files',
      stdin: 'file',
    },
  ],
  options: [
    { ...sharedOptions.queue, summary: 'puts all of them into this queue; parts of flows are left out' },
    { flags: '--skip-invalid', summary: 'imports the good lines and names the others' },
    sharedOptions.noUndo,
  ],
  examples: [
    { command: 'tq jobs import mail.ndjson.gz --dry-run', does: 'check the file and count its jobs' },
    { command: 'tq jobs import mail.ndjson.gz', does: 'store them in the queues they were in' },
    { command: 'tq jobs import dead.ndjson --queue repair', does: 'store them all in one queue' },
  ],
  json: ['matched', 'imported', 'present', 'failed', 'failedCount', 'undo', 'stopped'],
  operation: async () => (await import('../../../ops/import-jobs.ts')).importJobs,
  toInput({ arguments: [file = ''], options, stdinFile }: Values<Options>) {
    if (file === '') {
      throw createError('USAGE', { message: 'jobs import was given no file', next: 'name one, or - for stdin' });
    }
    return {
      file,
      spooled: stdinFile,
      queue: readText(options.queue, '--queue'),
      skipInvalid: options.skipInvalid === true ? true : undefined,
    } as const;
  },
  present: ({ matched, imported, present, failed, failedCount, undo, stopped }) => ({
    json: { matched, imported, present, failed, failedCount, undo, stopped },
    blocks: [
      line(
        matched === 0
          ? 'there is no job in it'
          : `imported ${imported} of ${matched} ${matched === 1 ? 'job' : 'jobs'}`,
      ),
    ],
    notes: present === 0 ? [] : [`${present} were there already, and were left as they are`],
    problems: [
      ...listFailures(failed, failedCount),
      ...(stopped === null
        ? []
        : [`ended before all was done: ${stopped}. The same command goes on where this one ended`]),
    ],
    exitCode: failedCount > 0 || stopped !== null ? 1 : 0,
  }),
});
