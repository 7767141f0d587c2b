import type { PausedTaskStatus } from '../ops/held-jobs.ts';

/** What a person who looks at queues should know of paused tasks, a line each. */
export function describePausedTasks(tasks: readonly PausedTaskStatus[]): string[] {
  return tasks.map(({ task, since, held }) => {
    const jobs = held === 1 ? '1 job is held' : `${held} jobs are held`;
    return `task "${task}" is paused since ${new Date(since).toISOString()}; ${jobs} for it`;
  });
}

/** Live workers that have not said that they know. */
export function describeUnconfirmed(unconfirmed: readonly string[]): string[] {
  if (unconfirmed.length === 0) return [];
  return [`not confirmed by ${unconfirmed.join(', ')}; a worker that lives learns of it within 5s`];
}
