import { parseSort } from '../../../engine/results/result-history.ts';
import { parseResultQuery } from '../../../engine/results/result-query.ts';
import { defineCommand, type Values } from '../../command.ts';
import { RESULT_FIELDS } from '../../job-result.ts';
import { readInteger, readText } from '../../option-values.ts';
import { sharedOptions } from '../../options.ts';
import { table } from '../../presentation.ts';

const DEFAULT_LIMIT = 100;

export const resultsList = defineCommand({
  name: 'results list',
  summary: 'List the jobs that have ended, from the result store',
  details:
    'The result store is named by --results, TQ_RESULTS_URL, tq.config or the app; without one there is no list (docs/results.md).',
  options: [
    { flags: '--where <query>', summary: "only those that a query takes: 'state:failure age<1d' (docs/queries.md)" },
    { flags: '--limit <number>', summary: `results to list, ${DEFAULT_LIMIT} without it` },
    {
      flags: '--sort <order>',
      summary: 'finished, created or duration, least first; with a minus the other way (default: -finished)',
    },
    sharedOptions.results,
  ],
  examples: [
    { command: 'tq results list', does: 'what has ended last' },
    { command: "tq results list --where 'state:failure age<1d'", does: 'what has failed since yesterday' },
    {
      command: "tq results list --where 'task:email.* error~timeout' --limit 1000 --json",
      does: 'e-mails that met a timeout, as JSON',
    },
    { command: 'tq results list --sort=-duration --limit 10', does: 'what took longest' },
  ],
  json: [...RESULT_FIELDS, ...['args', 'reason', 'durationMs', 'requestId', 'parentId', 'rootId', 'workflowId']],
  operation: async () => (await import('../../../ops/list-results.ts')).listResults,
  toInput({ options }: Values<{ where?: string; limit?: string; sort?: string }>) {
    const where = readText(options.where, '--where');
    // Mistakes are found here, before anything is opened.
    if (where !== undefined) parseResultQuery(where, 0);
    if (options.sort !== undefined) parseSort(options.sort);
    return {
      where,
      sort: options.sort,
      limit: readInteger(options.limit, '--limit', { min: 1, max: 10_000 }) ?? DEFAULT_LIMIT,
    };
  },
  present: (results) => ({
    json: results,
    blocks: [
      table(
        [
          { key: 'id', title: 'id', as: 'text' },
          { key: 'task', title: 'task', as: 'text', shrinks: true },
          { key: 'queue', title: 'queue', as: 'text' },
          { key: 'state', title: 'state', as: 'state' },
          { key: 'attempts', title: 'attempts', as: 'number' },
          { key: 'durationMs', title: 'duration', as: 'duration' },
          { key: 'finishedAt', title: 'finished', as: 'instant' },
          { key: 'error', title: 'error', as: 'text', shrinks: true },
        ],
        results.map(({ error, ...rest }) => ({
          ...rest,
          error: error === null ? null : `${error.name}: ${error.message}`,
        })),
        'no result fits',
      ),
    ],
  }),
});
