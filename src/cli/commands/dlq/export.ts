import { deadChoiceOptions } from '../../job-choice.ts';
import { defineExport } from '../../job-export.ts';

export const dlqExport = defineExport({
  name: 'dlq export',
  summary: 'Write dead letters to a file that any broker can import',
  details: [
    'One dead letter a line, as JSON, with its error, its stacks and its log. Nothing is changed in the broker; `tq jobs import` stores them.',
    'Exit codes: 0 all were written, 1 some were left out or it was stopped, 3 no queue holds any of them.',
  ],
  places: ['dead'],
  options: deadChoiceOptions,
  examples: [
    { command: 'tq dlq export --fingerprint 1f3870be -o timeouts.ndjson', does: 'all that failed with one error' },
    { command: 'tq dlq export --all -o dead.ndjson.gz', does: 'every dead letter, packed' },
  ],
});
