import { createError } from '../../../engine/core/errors.ts';
import { parseRate } from '../../../engine/core/rate.ts';
import { defineCommand, type Values } from '../../command.ts';
import { exitCodeOf, listFailures, listStop } from '../../job-changes.ts';
import { type ChoiceOptions, choiceArgument, deadChoiceOptions, readChoice } from '../../job-choice.ts';
import { readPatch } from '../../job-edit.ts';
import { readInteger, readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { line } from '../../presentation.ts';

interface Options extends ChoiceOptions {
  readonly rate?: string;
  readonly first?: string;
  readonly stopIfFailing?: string;
  readonly patch?: string;
  readonly resume?: string;
}

export const dlqReprocess = defineCommand({
  name: 'dlq reprocess',
  summary: 'Send dead letters back to work, at a pace, as long as they succeed',
  details: [
    'A dead letter goes back to its queue with its id, arguments and priority, and with all its attempts; its log says what had happened.',
    'What dies while the command runs is left alone, and no job goes back twice, whoever else does the same.',
    '--first 10 tries the first ten. --stop-if-failing 5% watches what becomes of them and stops once more than so many fail; a failed',
    'attempt counts, whatever its retries come to; it ends when all that went back have come to something, or when none does for',
    'a minute (--timeout). Ctrl-C stops between two steps and says how far it came; --resume with the id that is printed goes on.',
    'Exit codes: 0 all of them went back, 1 some did not, or it stopped, 3 no queue holds any of them.',
  ].join('\n'),
  arguments: [choiceArgument],
  options: [
    ...deadChoiceOptions,
    { flags: '--first <number>', summary: 'only so many: a canary' },
    { flags: '--rate <rate>', summary: 'no faster than this: 20/s, 100/m' },
    { flags: '--stop-if-failing <percent>', summary: 'stop when more than so many of them fail: 5%' },
    { flags: '--queue <name>', summary: 'the queue that they go to (default: their own)', completion: 'queues' },
    { flags: '--patch <json>', summary: 'merged into the first argument, null removes a key (JSON Merge Patch)' },
    { flags: '--resume <run>', summary: 'go on with an earlier run: what has died since then is left alone' },
    sharedOptions.noUndo,
  ],
  examples: [
    { command: 'tq dlq reprocess --fingerprint 1f3870be --dry-run', does: 'only count what would go back' },
    { command: 'tq dlq reprocess --fingerprint 1f3870be --first 10 --stop-if-failing 5%', does: 'try ten of them' },
    {
      command: "tq dlq reprocess --where 'task:email.*' --rate 20/s --stop-if-failing 5%",
      does: 'the rest at a pace, as long as they succeed',
    },
    {
      command: 'tq dlq reprocess --fingerprint 1f3870be --patch \'{"locale":"en"}\' --dry-run',
      does: 'show what a patch would change',
    },
  ],
  json: ['matched', 'reprocessed', 'failed', 'failedCount', 'stopped', 'outcomes', 'undo', 'run'],
  operation: async () => (await import('../../../ops/reprocess-dead-letters.ts')).reprocessDeadLetters,
  toInput(values: Values<Options>) {
    const { options, timeoutMs } = values;
    const { queue: _, ...rest } = options;
    const choice = readChoice('dlq reprocess', { ...values, options: rest });
    if (options.rate !== undefined) parseRate(options.rate, '--rate');
    return {
      ...choice,
      rate: options.rate,
      first: readInteger(options.first, '--first', { min: 1, max: 1_000_000_000 }),
      stopIfFailing: readPercent(options.stopIfFailing),
      patienceMs: timeoutMs,
      to: readText(options.queue, '--queue'),
      patch: options.patch === undefined ? undefined : readPatch(options.patch),
      resume: readText(options.resume, '--resume'),
    };
  },
  present(result) {
    const { matched, reprocessed, failed, failedCount, stopped, outcomes, run } = result;
    const seen =
      outcomes === null || reprocessed === 0
        ? []
        : [
            line(
              `of them ${outcomes.succeeded} succeeded, ${outcomes.failed} failed, ${outcomes.pending} have not ended`,
            ),
          ];
    return {
      json: result,
      blocks: [
        line(matched === 0 ? 'no dead letter fits' : `sent ${reprocessed} of ${matched} dead letters back to work`),
        ...seen,
      ],
      notes: stopped === null ? [] : [`to go on: the same command with --resume ${run}`],
      problems: [...listFailures(failed, failedCount), ...listStop(stopped)],
      exitCode: exitCodeOf(result),
    };
  },
});

function readPercent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,3}(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
  if (value <= 100) return value;
  throw createError('INVALID_OPTION', {
    what: '--stop-if-failing',
    expected: 'a percentage from 0% to 100%, such as 5%',
    given: JSON.stringify(text),
  });
}
