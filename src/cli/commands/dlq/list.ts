import type { DeadLetter } from '../../../ops/list-dead-letters.ts';
import { defineCommand, type Values } from '../../command.ts';
import { type DeadLetterOptions, deadLetterOptions, readDeadLetterChoice } from '../../dead-letter-options.ts';
import { readInteger } from '../../option-values.ts';
import { table } from '../../presentation.ts';

const DEFAULT_LIMIT = 100;

interface ListOptions extends DeadLetterOptions {
  readonly limit?: string;
}

export const dlqList = defineCommand({
  name: 'dlq list',
  summary: 'List dead letters, the latest first',
  options: [
    ...deadLetterOptions,
    { flags: '--limit <number>', summary: `dead letters to list, ${DEFAULT_LIMIT} without it` },
  ],
  examples: [
    { command: 'tq dlq list', does: 'what died last' },
    {
      command: 'tq dlq list --fingerprint 3f2a9c51',
      does: 'those that died of the same, as `tq dlq stats` counts them',
    },
    {
      command: "tq dlq list -Q mail --where 'args.0.to=*@example.com age<1d' --limit 1000 --json",
      does: 'e-mails to one domain, as JSON',
    },
  ],
  json: [
    ...['id', 'task', 'queue', 'state', 'args', 'priority', 'attempts', 'worker'],
    ...['createdAt', 'startedAt', 'finishedAt', 'error', 'fingerprint'],
  ],
  operation: async () => (await import('../../../ops/list-dead-letters.ts')).listDeadLetters,
  toInput: ({ options }: Values<ListOptions>) => ({
    ...readDeadLetterChoice(options),
    limit: readInteger(options.limit, '--limit', { min: 1, max: 10_000 }) ?? DEFAULT_LIMIT,
  }),
  present: ({ jobs, hasMore }) => ({
    json: jobs,
    blocks: [
      table(
        [
          { key: 'id', title: 'id', as: 'text' },
          { key: 'task', title: 'task', as: 'text', shrinks: true },
          { key: 'queue', title: 'queue', as: 'text', shrinks: true },
          { key: 'finishedAt', title: 'died', as: 'instant' },
          { key: 'fingerprint', title: 'fingerprint', as: 'text' },
          { key: 'error', title: 'error', as: 'text', shrinks: true },
        ],
        jobs.map((job) => ({ ...job, error: describeError(job) })),
        'no dead letter',
      ),
    ],
    notes: hasMore ? [`there are more; \`tq dlq stats\` counts them, --limit lists them`] : [],
  }),
});

function describeError({ error }: DeadLetter): string | null {
  return error === null ? null : `${error.name}: ${error.message}`;
}
