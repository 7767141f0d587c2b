import type { JobJson } from 'bullmq';
import type { StoredJob } from '../../core/job.ts';
import type { JobFacts, LogEntry, ReadyFrom } from '../event-port.ts';
import { readEnd, STACKS_KEPT, toStoredJob } from '../stored-job.ts';
import type { RawEntry } from './event-log.ts';

/** BullMQ's states as the entry `waiting` has them in `prev`; without one the job was just added. */
const READY_FROM: Readonly<Record<string, ReadyFrom>> = {
  delayed: 'scheduled',
  active: 'running',
  failed: 'ended',
  completed: 'ended',
  'waiting-children': 'blocked',
};

/**
 * An entry in tq's words; undefined for one that tells nothing of a job (`drained`, `paused`) or nothing that is not told
 * otherwise (`stalled`: the job is ready again; `retries-exhausted`: it failed). Any application may write events of its own
 * into the log, so none of its fields is trusted.
 */
export function toLogEntry({ queue, at, fields }: RawEntry): LogEntry | undefined {
  const id = fields['jobId'];
  if (id === undefined) return undefined;
  const entry = { queue, id, at };
  switch (fields['event']) {
    case 'added':
      return { ...entry, kind: 'added', task: fields['name'] ?? '' };
    case 'waiting':
      return { ...entry, kind: 'ready', from: READY_FROM[fields['prev'] ?? ''] ?? 'new' };
    case 'delayed':
      return { ...entry, kind: 'scheduled', dueAt: Number(fields['delay']) || at };
    case 'waiting-children':
      return { ...entry, kind: 'blocked' };
    case 'active':
      return { ...entry, kind: 'taken' };
    case 'completed':
      return { ...entry, kind: 'completed', ...readEnd(parseJson(fields['returnvalue'])) };
    case 'failed':
      return { ...entry, kind: 'failed', message: fields['failedReason'] ?? '' };
    case 'progress':
      return { ...entry, kind: 'progress', progress: parseJson(fields['data']) };
    default:
      return undefined;
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

/** What the record of a job says beside the log. */
export function toJobFacts(json: JobJson, queue: string): JobFacts {
  const job = toStoredJob(json, queue, 'unknown');
  const { task, meta, worker, attempts, startedAt, finishedAt, error } = job;
  const delayMs = json.opts?.delay;
  return {
    task,
    requestId: meta.requestId ?? meta.rootId ?? job.id,
    worker,
    attemptsCharged: attempts,
    startedAt,
    finishedAt,
    error: error === null ? null : `${error.name}: ${error.message}`,
    errors: readErrors(job),
    delayMs: typeof delayMs === 'number' && delayMs > 0 ? delayMs : null,
  };
}

/** A stack begins with the error. Those of lost workers stand between those of attempts, and of many the oldest are dropped. */
function readErrors({ stacks, workersLost }: StoredJob): string[] | null {
  if (workersLost > 0 || stacks.length >= STACKS_KEPT) return null;
  return stacks.map((stack) => (stack.split('\n')[0] ?? '').replace(/^([\w$.]+) \[[^\]]+\](?=:)/, '$1'));
}
