import type { ResultRow } from '../broker/result-store/result-port.ts';
import type { StoredJob } from '../core/job.ts';
import { readMark } from '../core/schedule/firing.ts';

/** A row of the result store as the job that it was, as far as the row tells. */
export function toFinishedJob(row: ResultRow): StoredJob {
  const { id, task, queue, state, error, reason, progress, attempts, createdAt, startedAt, finishedAt, worker } = row;
  const { requestId, rootId, parentId } = row;
  return {
    ...{ id, task, queue, state, error, reason, progress, attempts, createdAt, startedAt, finishedAt, worker },
    args: row.args ?? [],
    result: row.result,
    meta: {
      requestId,
      rootId,
      ...(parentId !== null && { parentId }),
      ...readMark(id),
    },
    priority: null,
    dueAt: null,
    workersLost: 0,
    stacks: error?.stack == null ? [] : [error.stack],
    failures: [],
    unique: null,
    unreadable: null,
  };
}
