import type { TakenJob } from '../broker/port.ts';
import type { FinalState, NewResultRow } from '../broker/result-store/result-port.ts';
import { encodeMessage, encodeStack } from '../broker/stored-job.ts';
import type { Clock } from '../core/clock.ts';
import type { Outcome, StoredError } from '../core/job.ts';
import type { TaskDefinition } from '../task/definition.ts';

interface RowSource {
  readonly storeArgs: boolean;
  readonly worker: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly clock: Clock;
}

/**
 * The row of a job that has come to this outcome; undefined when the job goes on, when its result is to be ignored, and when a
 * graph takes its place, whose value is stored with the job that gives it.
 */
export function createResultRow(
  job: TakenJob,
  outcome: Outcome,
  { storeArgs, worker, tasks, clock }: RowSource,
): NewResultRow | undefined {
  const end = readEnd(outcome);
  if (end === undefined) return undefined;
  const definition = tasks.get(job.task);
  if (ignores(job, definition) && (end.state !== 'FAILURE' || definition?.storeErrorsEvenIfIgnored !== true)) {
    return undefined;
  }
  const { id, queue, task, meta } = job;
  const finishedAt = clock.now();
  const startedAt = job.startedAt ?? finishedAt;
  const rootId = meta.rootId ?? id;
  const keepsArgs = storeArgs && definition?.storeArgs !== false;
  return {
    ...{ id, queue, task, state: end.state, error: end.error, reason: end.reason, attempts: job.attempts },
    argsJson: keepsArgs ? JSON.stringify(job.args) : null,
    resultJson: toJson(end.result),
    progressJson: toJson(job.progress),
    createdAt: job.createdAt,
    startedAt,
    finishedAt,
    durationMs: Math.max(0, finishedAt - startedAt),
    worker,
    requestId: meta.requestId ?? rootId,
    parentId: meta.parentId ?? null,
    rootId,
    workflowId: meta.workflow?.id ?? null,
    // As in the broker, where a dead letter stays until it is removed.
    expiresAt: meta.resultExpiresMs === undefined || end.state === 'FAILURE' ? null : finishedAt + meta.resultExpiresMs,
  };
}

interface End {
  readonly state: FinalState;
  readonly result: unknown;
  readonly error: StoredError | null;
  readonly reason: string | null;
}

function readEnd(outcome: Outcome): End | undefined {
  switch (outcome.kind) {
    case 'succeeded':
      return { state: 'SUCCESS', result: outcome.result, error: null, reason: null };
    case 'ended':
      return { state: outcome.state, result: null, error: null, reason: outcome.reason };
    case 'dead':
    case 'failed':
      return { state: 'FAILURE', result: null, error: toKept(outcome.error), reason: null };
    default:
      return undefined;
  }
}

/** As long as the broker keeps it, so that an error reads the same from both. */
function toKept(error: StoredError): StoredError {
  return { ...error, message: encodeMessage(error), stack: encodeStack(error) };
}

function ignores(job: TakenJob, definition: TaskDefinition | undefined): boolean {
  return job.dropsResult || definition?.keepResultSeconds === false;
}

function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
