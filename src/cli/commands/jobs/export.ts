import { PLACES } from '../../../engine/jobs/job-place.ts';
import { choiceOptions } from '../../job-choice.ts';
import { defineExport } from '../../job-export.ts';

export const jobsExport = defineExport({
  name: 'jobs export',
  summary: 'Write jobs to a file that any broker can import',
  details: [
    'One job a line, as JSON, with all that the broker holds about it: arguments, due time, attempts, result, error, log, and the records of',
    'its workflow. Nothing is changed in the broker. docs/moving-jobs.md has the format.',
    'Exit codes: 0 all were written, 1 some were left out or it was stopped, 3 no queue holds any of them.',
  ],
  places: PLACES,
  options: [...choiceOptions, { flags: '--all', summary: 'every job of every queue' }],
  examples: [
    { command: 'tq jobs export -Q mail -o mail.ndjson.gz', does: 'all of one queue, packed' },
    { command: "tq jobs export --where 'task:email.* age>1d' -o old.ndjson", does: 'what a query takes' },
    { command: 'tq jobs export --all -o all.ndjson.gz --json', does: 'everything, and the counts as JSON' },
  ],
});
