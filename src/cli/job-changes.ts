import type { JobChanges } from '../ops/job-changes.ts';
import { UNKNOWN } from '../ops/job-changes.ts';
import { line, type Presentation } from './presentation.ts';

/** The fields of the JSON of every command that changes many jobs. */
export const CHANGE_FIELDS = ['matched', 'changed', 'failed', 'failedCount', 'undo', 'stopped'] as const;

/**
 * What such a command shows. Exit codes: 0 all were changed, 1 some were not or it ended early, 3 no queue holds any of them.
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
    exitCode: isUnknown(result) ? 3 : failedCount > 0 || stopped !== null ? 1 : 0,
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

function isUnknown({ matched, failedCount, failed }: JobChanges): boolean {
  return matched > 0 && failedCount === matched && failed.every(({ message }) => message === UNKNOWN);
}
