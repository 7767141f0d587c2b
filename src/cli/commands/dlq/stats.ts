import { MAX_GROUPS } from '../../../engine/deadletter/death-groups.ts';
import { defineCommand, type Values } from '../../command.ts';
import { type DeadLetterOptions, deadLetterOptions, readDeadLetterChoice } from '../../dead-letter-options.ts';
import { deathGroups } from '../../death-groups.ts';

export const dlqStats = defineCommand({
  name: 'dlq stats',
  summary: 'Count dead letters by what they died of',
  details: [
    'Dead letters of one task in one queue are counted together when their errors have the same fingerprint: class, message without',
    'numbers, ids and quoted values, and first frame of the application (docs/dead-letters.md). The sample is the one that died last.',
    `Beyond ${MAX_GROUPS} such groups, what comes is counted as other.`,
  ].join('\n'),
  options: deadLetterOptions,
  examples: [
    { command: 'tq dlq stats', does: 'what is wrong, the most frequent first' },
    { command: "tq dlq stats -Q mail --where 'age<1h' --json", does: 'what has come up in the last hour, as JSON' },
  ],
  json: ['fingerprint', 'error', 'task', 'queue', 'count', 'firstAt', 'lastAt', 'sample'],
  operation: async () => (await import('../../../ops/count-dead-letters.ts')).countDeadLetters,
  toInput: ({ options }: Values<DeadLetterOptions>) => readDeadLetterChoice(options),
  present: ({ groups, total, stopped }) => ({
    json: groups,
    blocks: [deathGroups(groups)],
    notes: [
      total === 0 ? 'no dead letter' : `${total} in all`,
      ...(groups.some(({ fingerprint }) => fingerprint === 'other')
        ? [`there are more than ${MAX_GROUPS} groups; \`other\` holds the rest: narrow them with --where or -Q`]
        : []),
    ],
    problems: stopped === null ? [] : [`${stopped}: the counts are of the first ${total}`],
    exitCode: stopped === null ? 0 : 1,
  }),
});
