import { type JobChanges, UNKNOWN } from '../ops/job-changes.ts';
import { line, type Presentation } from './presentation.ts';

/** The fields of the JSON of every command that changes many jobs. */
export const CHANGE_FIELDS = ['matched', 'changed', 'failed', 'failedCount', 'undo', 'stopped'] as const;

/**
 * What such a command shows.
 *
 * @param done in the past tense, what was done to them: `removed`
 */
export function presentChanges(result: JobChanges, done: string): Presentation {
  const { matched, changed, failed, failedCount, stopped } = result;
  return {
    json: result,
    blocks: [
      line(matched === 0 ? 'no job fits' : `${done} ${changed} of ${matched} ${matched === 1 ? 'job' : 'jobs'}`),
    ],
    problems: [...listFailures(failed, failedCount), ...listStop(stopped)],
    exitCode: exitCodeOf(result),
  };
}

/** The jobs that were left alone, and how many more there are than are named. */
export function listFailures(failed: JobChanges['failed'], count: number): string[] {
  const more = count - failed.length;
  return [...failed.map(({ id, message }) => `${id}: ${message}`), ...(more > 0 ? [`… and ${more} more`] : [])];
}

export function listStop(stopped: string | null): string[] {
  return stopped === null
    ? []
    : [`ended before all was done: ${stopped}. The same command goes on where this one ended`];
}

/** How an operation on many jobs ended: 0 all was done, 1 not all, 3 no queue holds any of them. */
export function exitCodeOf({ matched, failedCount, failed, stopped }: JobsLeft): 0 | 1 | 3 {
  const isUnknown = matched > 0 && failedCount === matched && failed.every(({ message }) => message === UNKNOWN);
  return isUnknown ? 3 : failedCount > 0 || stopped !== null ? 1 : 0;
}

type JobsLeft = Pick<JobChanges, 'matched' | 'failed' | 'failedCount' | 'stopped'>;
