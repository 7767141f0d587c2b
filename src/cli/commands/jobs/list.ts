import { createError } from '../../../engine/core/errors.ts';
import { untilAborted } from '../../../engine/core/until-aborted.ts';
import { parseJobOrder } from '../../../engine/jobs/job-listing.ts';
import { parseJobQuery } from '../../../engine/jobs/job-query.ts';
import type { ListedJob } from '../../../ops/list-jobs.ts';
import { type CommandContext, defineCommand, type Values } from '../../command.ts';
import { readInteger, readNames, readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { type Presentation, row, table } from '../../presentation.ts';

interface Options {
  readonly where?: string;
  readonly queues?: readonly string[];
  readonly limit?: string;
  readonly sort?: string;
  readonly follow?: boolean;
}

interface FollowInput {
  readonly where: string | undefined;
  readonly queues: readonly string[] | undefined;
  readonly limit: number;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

export const jobsList = defineCommand({
  name: 'jobs list',
  summary: 'List jobs of every queue, the newest first',
  details: [
    'Reads no more than it needs: the ended jobs by their end, the running ones by their start, the others by when they were added;',
    'scheduled ones come as they are due. With --sort it looks at every job that --where takes, and at all of them without --where.',
    'With --follow it lists nothing, and tells jobs as they come to fit, until Ctrl-C or until there were --limit of them.',
  ].join('\n'),
  options: [
    { flags: '--where <query>', summary: "only those that a query takes: 'state:dead task:email.*' (docs/queries.md)" },
    sharedOptions.queues,
    { flags: '--limit <number>', summary: `jobs to list, ${DEFAULT_LIMIT} without it` },
    {
      flags: '--sort <order>',
      summary: 'created, finished, due, duration or attempts, least first; with a minus the other way',
    },
    { flags: '--follow', summary: 'tell jobs as they come to fit, one a line' },
  ],
  examples: [
    { command: 'tq jobs list', does: 'the newest hundred jobs' },
    {
      command: "tq jobs list --where 'state:dead error~timeout age<1d'",
      does: 'what died of a timeout since yesterday',
    },
    {
      command: "tq jobs list --where 'args.0.to=*@example.com' --limit 1000 --json",
      does: 'jobs by their arguments, as JSON',
    },
    {
      command: "tq jobs list -Q emails --where 'state:completed' --sort=-duration --limit 10",
      does: 'what took longest',
    },
    { command: "tq jobs list --where 'state:dead' --follow", does: 'dead letters as they come, until Ctrl-C' },
  ],
  json: [
    ...[
      'id',
      'task',
      'queue',
      'state',
      'args',
      'priority',
      'attempts',
      'createdAt',
      'dueAt',
      'startedAt',
      'finishedAt',
    ],
    ...['worker', 'progress', 'error', 'reason', 'requestId', 'parentId', 'rootId', 'workflowId'],
  ],
  operation: async () => (await import('../../../ops/list-jobs.ts')).listJobs,
  toInput: ({ options }: Values<Options>) => readOptions(options),
  present: ({ jobs, isFull }) => ({
    json: jobs,
    blocks: [
      table(
        [
          { key: 'id', title: 'ID', as: 'text' },
          { key: 'task', title: 'TASK', as: 'text', shrinks: true },
          { key: 'queue', title: 'QUEUE', as: 'text' },
          { key: 'state', title: 'STATE', as: 'state' },
          { key: 'attempts', title: 'ATTEMPTS', as: 'number' },
          { key: 'createdAt', title: 'CREATED', as: 'instant' },
          { key: 'dueAt', title: 'DUE', as: 'instant' },
          { key: 'finishedAt', title: 'FINISHED', as: 'instant' },
          { key: 'error', title: 'ERROR', as: 'text', shrinks: true },
        ],
        jobs.map((job) => ({ ...job, error: describeError(job) })),
        'no job fits',
      ),
    ],
    notes: isFull ? ['there may be more; --limit lists more of them'] : [],
  }),
  stream: {
    isWanted: ({ follow }: Options) => follow === true,
    toInput({ options }: Values<Options>): FollowInput {
      if (options.sort !== undefined) {
        const message = '--sort was given with --follow, which tells jobs as they come';
        throw createError('USAGE', { message, next: 'leave one of them out' });
      }
      const { where, queues, limit } = readOptions(options);
      return { where, queues, limit: options.limit === undefined ? Number.POSITIVE_INFINITY : limit };
    },
    listen: follow,
    present: presentJob,
  },
});

function readOptions(options: Options) {
  const where = readText(options.where, '--where');
  // Mistakes are found here, before anything is opened.
  if (where !== undefined) parseJobQuery(where, 0);
  if (options.sort !== undefined) parseJobOrder(options.sort);
  return {
    where,
    queues: readNames(options.queues, '--queues'),
    sort: options.sort,
    limit: readInteger(options.limit, '--limit', { min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT,
  };
}

async function* follow(
  { where, queues, limit }: FollowInput,
  { session, output, host, settings }: CommandContext,
  signal: AbortSignal,
): AsyncGenerator<ListedJob, void, void> {
  const [{ followJobs }, { toListedJob }] = await Promise.all([
    import('../../../engine/jobs/job-following.ts'),
    import('../../../ops/list-jobs.ts'),
  ]);
  const broker = await untilAborted(session.broker(), signal);
  if (broker === undefined) return;
  const isWatched = host.streams.stdout.isTTY === true && !settings.json;
  let count = 0;
  const jobs = followJobs(broker, {
    queues,
    signal,
    query: where === undefined ? undefined : (now) => parseJobQuery(where, now),
    now: () => session.clock.now(),
    ...(isWatched && { onListening: () => output.note('listening; Ctrl-C ends it') }),
    onTrouble: (error) => output.note(`${error.message}; waiting for it`),
    onRecovered: () => output.note('the broker answers again; going on where it was'),
  });
  for await (const job of jobs) {
    yield toListedJob(job);
    count += 1;
    if (count >= limit) return;
  }
}

const ID_WIDTH = 36;
const STATE_WIDTH = 9;
const TASK_WIDTH = 20;
const QUEUE_WIDTH = 10;

function presentJob(job: ListedJob): Pick<Presentation, 'json' | 'blocks'> {
  const { id, task, queue, state, attempts, finishedAt, createdAt } = job;
  const error = describeError(job) ?? job.reason ?? '';
  const cells = row(
    { text: id, tone: 'plain', width: ID_WIDTH },
    { text: state, tone: state === 'FAILURE' ? 'bad' : 'plain', width: STATE_WIDTH },
    { text: task, tone: 'plain', width: TASK_WIDTH },
    { text: queue, tone: 'plain', width: QUEUE_WIDTH },
    { text: `attempt ${attempts}`, exact: String(attempts), tone: 'faint' },
    { text: '', exact: new Date(finishedAt ?? createdAt).toISOString(), tone: 'faint' },
    { text: error, tone: state === 'FAILURE' ? 'bad' : 'faint' },
  );
  return { json: job, blocks: [cells] };
}

function describeError({ error }: ListedJob): string | null {
  return error === null ? null : `${error.name}: ${error.message}`;
}
