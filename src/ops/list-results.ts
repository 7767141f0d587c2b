import { exactOptional, integer, maxValue, minValue, number, pipe, strictObject, string } from 'valibot';
import type { ResultRow } from '../engine/broker/result-store/result-port.ts';
import { createError } from '../engine/core/errors.ts';
import { readFiring, readMark } from '../engine/core/schedule/firing.ts';
import { readHistory } from '../engine/results/result-history.ts';
import { defineOperation } from './operation.ts';
import type { JobResult } from './read-result.ts';

/** A job that has ended, with the fields of `tq result` first. */
export interface ListedResult extends JobResult {
  /** Null when they are withheld. */
  readonly args: readonly unknown[] | null;
  readonly reason: string | null;
  readonly durationMs: number;
  readonly requestId: string;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly workflowId: string | null;
}

const MAX_LISTED = 10_000;

export const listResults = defineOperation({
  name: 'list-results',
  effect: 'read',
  summary: 'List the jobs that have ended, from the result store',
  input: strictObject({
    where: exactOptional(string()),
    sort: exactOptional(string()),
    limit: pipe(number(), integer(), minValue(1), maxValue(MAX_LISTED)),
  }),
  async run(session, { where, sort, limit }): Promise<readonly ListedResult[]> {
    const open = async () => {
      const store = await session.results();
      if (store === undefined) throw createError('RESULTS_OFF', { doing: 'listing results' });
      return store;
    };
    const listed: ListedResult[] = [];
    const options = { ...(where !== undefined && { where }), ...(sort !== undefined && { sort }) };
    for await (const row of readHistory(open, session.clock, options)) {
      listed.push(toListed(row));
      if (listed.length === limit) break;
    }
    return listed;
  },
  commandLine: ({ where, sort, limit }) => [
    'results',
    'list',
    ...(where === undefined ? [] : ['--where', where]),
    ...(sort === undefined ? [] : [`--sort=${sort}`]),
    '--limit',
    String(limit),
  ],
});

function toListed(row: ResultRow): ListedResult {
  const { id, task, queue, state, result, error, attempts, progress, createdAt, startedAt, finishedAt, worker } = row;
  const { args, reason, durationMs, requestId, parentId, rootId, workflowId } = row;
  const schedule = readFiring({ id, meta: readMark(id) }) ?? null;
  return {
    ...{ id, task, queue, state, result, error, attempts, progress, createdAt, startedAt, finishedAt, worker },
    ...{ schedule, args, reason, durationMs, requestId, parentId, rootId, workflowId },
  };
}
