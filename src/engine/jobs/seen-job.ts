import type { StoredJob } from '../core/job.ts';

/** What a scan tells of a job in either form, whole or as a summary: how it was a moment ago. */
export type SeenJob = Pick<
  StoredJob,
  'id' | 'task' | 'queue' | 'state' | 'attempts' | 'finishedAt' | 'dueAt' | 'error'
>;

/** Jobs of one queue. */
export interface JobPage {
  readonly queue: string;
  readonly jobs: readonly SeenJob[];
}
