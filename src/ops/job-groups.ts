import type { SeenJob } from '../engine/jobs/seen-job.ts';
import type { PlanRow } from './operation.ts';

/** More groups than this say nothing more to a person. */
const MAX_ROWS = 20;
/** What is kept apart while it is counted. */
const MAX_GROUPS = 1000;

/** Counts jobs by queue, task, state and error, for a plan; its memory does not grow with the jobs. */
export class JobGroups {
  count = 0;
  readonly #groups = new Map<string, { readonly row: PlanRow; jobs: number }>();
  #others = 0;

  add(jobs: readonly SeenJob[]): void {
    for (const { queue, task, state, error } of jobs) {
      this.count += 1;
      const row = { queue, task, state, error: error?.name ?? null };
      const key = JSON.stringify(row);
      const group = this.#groups.get(key);
      if (group !== undefined) group.jobs += 1;
      else if (this.#groups.size < MAX_GROUPS) this.#groups.set(key, { row, jobs: 1 });
      else this.#others += 1;
    }
  }

  /** The largest groups first; the rest in one row. */
  get rows(): readonly PlanRow[] {
    const groups = [...this.#groups.values()].sort((a, b) => b.jobs - a.jobs);
    const rows = groups.slice(0, MAX_ROWS).map(({ row, jobs }) => ({ ...row, jobs }));
    const rest = groups.slice(MAX_ROWS).reduce((sum, { jobs }) => sum + jobs, this.#others);
    return rest === 0 ? rows : [...rows, { queue: 'others', task: null, state: null, error: null, jobs: rest }];
  }
}
