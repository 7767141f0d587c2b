import { createError } from '../../engine/core/errors.ts';
import type { BrokerMigration } from '../../ops/migrate-broker.ts';
import type { JobMigration } from '../../ops/migrate-jobs.ts';
import { type Command, defineCommand, type Values } from '../command.ts';
import { listFailures } from '../job-changes.ts';
import { readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';
import { type Column, line, type Presentation, table } from '../presentation.ts';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly queues?: string[];
}

export const migrate: Command = defineCommand({
  name: 'migrate',
  summary: 'Make the schemas of broker and result store, or move all to another broker',
  details: [
    'PostgreSQL keeps jobs in tables of a schema; workers that find it missing or old say so and exit. SQLite makes and',
    'upgrades its tables by itself, Redis has none: there is nothing to do there. The same holds for a result store.',
    'With --from and --to it moves queues: it pauses them in the source, waits until none of their jobs runs (--timeout, 60s), moves the jobs with',
    'their workflows, and lets the queues of the target go on. Interrupted, it is run again and goes on. docs/moving-jobs.md tells it whole.',
    'Exit codes: 0 done, 1 some jobs stay or it was stopped, 4 jobs still ran when the time was over.',
  ].join('\n'),
  options: [
    { flags: '--from <url>', summary: 'broker that jobs are moved from' },
    { flags: '--to <url>', summary: 'broker that they are moved to' },
    { ...sharedOptions.queues, summary: 'only these queues, with commas between them' },
    sharedOptions.results,
  ],
  examples: [
    { command: 'tq migrate --dry-run', does: 'see what would happen' },
    { command: 'tq migrate --broker postgres://localhost/jobs', does: 'create or upgrade the schema' },
    {
      command: 'tq migrate --from redis://localhost --to postgres://localhost/jobs --dry-run',
      does: 'count what would be moved',
    },
    { command: 'tq migrate --from sqlite:.tq/tq.db --to redis://localhost', does: 'move everything to Redis' },
  ],
  json: [
    ...['from', 'to', 'results'],
    ...['queues', 'moved', 'left', 'failed', 'failedCount', 'entries', 'schedulers', 'stopped'],
  ],
  operation: async (asked) =>
    isMoving(asked?.input)
      ? ((await import('../../ops/migrate-jobs.ts')).migrateJobs as never)
      : (await import('../../ops/migrate-broker.ts')).migrateBroker,
  brokerOf: (input: object) => (isMoving(input) ? input.from : undefined),
  toInput({ options, timeoutMs }: Values<Options>): object {
    const from = readText(options.from, '--from');
    const to = readText(options.to, '--to');
    if (from === undefined && to === undefined && options.queues === undefined) return {};
    if (from === undefined || to === undefined) {
      throw createError('USAGE', {
        message: 'migrate was given only a part of what says how jobs are to be moved',
        next: 'name both brokers, --from URL --to URL; without them it makes the schema of the broker',
      });
    }
    return { from, to, queues: options.queues, waitMs: timeoutMs };
  },
  present: (result: unknown) =>
    isMoved(result as object) ? presentMoved(result as JobMigration) : presentSchemas(result as BrokerMigration),
});

function isMoving(input: unknown): input is { readonly from: string } {
  return typeof input === 'object' && input !== null && 'from' in input;
}

function isMoved(result: object): result is JobMigration {
  return 'queues' in result;
}

function presentSchemas({ kind, from, to, results }: BrokerMigration): Presentation {
  return {
    json: { from, to, results },
    blocks: [line(describe({ from, to })), ...(results === null ? [] : [line(`results: ${describe(results)}`)])],
    notes: kind === 'sqlite' ? ['SQLite makes and upgrades its tables by itself, whenever a file is opened'] : [],
  };
}

function describe({ from, to }: Pick<BrokerMigration, 'from' | 'to'>): string {
  if (to === null) return 'this broker has no schema; nothing to do';
  if (from === null) return `created the schema, version ${to}`;
  return from === to ? `the schema is current, version ${to}` : `upgraded the schema from version ${from} to ${to}`;
}

const COLUMNS: readonly Column[] = [
  { key: 'queue', title: 'QUEUE', as: 'text' },
  { key: 'before', title: 'BEFORE', as: 'number' },
  { key: 'moved', title: 'MOVED', as: 'number' },
  { key: 'left', title: 'LEFT', as: 'number' },
  { key: 'targetBefore', title: 'TARGET BEFORE', as: 'number' },
  { key: 'targetAfter', title: 'TARGET NOW', as: 'number' },
];

function presentMoved(result: JobMigration): Presentation {
  const { queues, from, to, left, failed, failedCount, entries, schedulers, stopped } = result;
  return {
    json: result,
    blocks: [table(COLUMNS, queues, 'the source has no queue')],
    notes: [
      ...(entries.length === 0
        ? []
        : [
            `moved ${entries.length === 1 ? '1 schedule entry' : `${entries.length} schedule entries`}: ${some(entries)}`,
          ]),
      ...(schedulers.length === 0
        ? []
        : [`not moved: the job schedulers of plain BullMQ ${schedulers.join(', ')}; make them anew on the target`]),
      ...(stopped === null
        ? [`the queues of ${from} are paused, those of ${to} go on; start producers and workers with the new URL`]
        : []),
    ],
    problems: [
      ...listFailures(failed, failedCount),
      ...(stopped === null
        ? []
        : [`ended before all was done: ${stopped}. The same command goes on where this one ended`]),
    ],
    exitCode: left > 0 || failedCount > 0 || stopped !== null ? 1 : 0,
  };
}

const NAMED = 10;

function some(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return rest > 0 ? `${names.slice(0, NAMED).join(', ')} and ${rest} more` : names.join(', ');
}
