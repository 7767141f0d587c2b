import { createError } from '../core/errors.ts';
import { type Outcome, toStoredError } from '../core/job.ts';
import { type RetryPolicy, retryDelayMs } from '../core/retry-policy.ts';
import type { AttemptJob } from './attempt-job.ts';

/**
 * What becomes of a job whose task this worker does not register: it is put back with a growing wait, so that a newer
 * worker of a rolling deploy can take it, and no attempt is charged. After the policy's number of times it is a dead letter
 * that names the workers that were asked. They are read from the job's log, the one record that every worker can add to.
 */
export async function postponeUnknown(
  job: AttemptJob,
  { worker, unknownTasks, random }: { worker: string; unknownTasks: RetryPolicy; random: () => number },
): Promise<Outcome> {
  // A log that cannot be read counts as empty: the job is put back once more often than it should, and never lost.
  const rows = await job.readLog().catch((): string[] => []);
  const asked = listAsked(rows);
  const times = asked.length;
  if (times >= unknownTasks.max) {
    const names = [...new Set([...asked, worker])];
    const error = createError('UNKNOWN_TASK_GIVEN_UP', { task: job.task, asked: names, times });
    return { kind: 'dead', error: toStoredError(error) };
  }
  const delayMs = retryDelayMs(unknownTasks, times + 1, undefined, random);
  return { kind: 'postponed', delayMs, note: `put back by ${worker}: it does not register task "${job.task}"` };
}

/** The workers that put a job back, by the rows of its log; oldest first, one that did it twice is there twice. */
export function listAsked(rows: readonly string[]): string[] {
  return rows.map((row) => NOTE.exec(row)?.[1]).filter((name) => name !== undefined);
}

const NOTE = /^put back by (\S+): it does not register task/;
