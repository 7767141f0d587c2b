/**
 * Cancels a workflow: whatever of it has not ended is revoked.
 *
 * 1. The job that stands for the whole goes first: whoever waits for the workflow knows from here on.
 * 2. Then all others, in passes: a step that was about to end may have added the next one, or replaced itself. It ends after one
 *    pass has found nothing new.
 *
 * A step that ignores the signal and gives a result all the same may lead on after that; its receipt says so.
 */
import type { RevokedJob } from '../core/revocation.ts';
import { isFinished } from '../core/state.ts';
import type { ReadingBroker } from './read-workflow.ts';
import { listJobs, openWholeWorkflow, readJobs, type WholeWorkflow, type WorkflowJob } from './whole-workflow.ts';
import type { WorkflowStore } from './workflow-store.ts';

/** Revokes jobs; how that is done is beside what workflows know. */
export type RevokeSteps<Report> = (ids: readonly string[], queues: readonly string[]) => Promise<Report>;

/** A workflow whose jobs replace themselves for ever must not keep who cancels it. */
const MAX_PASSES = 100;

/**
 * @returns what each pass reported, in order; undefined when nothing is stored of such a workflow
 * @throws BROKER_UNAVAILABLE: what was revoked until then stays revoked
 */
export async function cancelWorkflow<Report extends { readonly jobs: readonly RevokedJob[] }>(
  { broker, store, revoke }: { broker: ReadingBroker; store: WorkflowStore; revoke: RevokeSteps<Report> },
  id: string,
): Promise<Report[] | undefined> {
  const reports: Report[] = [];
  const asked = new Set<string>();
  const ask = async (jobs: readonly WorkflowJob[]): Promise<void> => {
    for (const job of jobs) asked.add(job.id);
    reports.push(
      await revoke(
        jobs.map((job) => job.id),
        [...new Set(jobs.map(({ queue }) => queue))],
      ),
    );
  };
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const workflow = await openWholeWorkflow(store, id);
    if (workflow === undefined) return pass === 0 ? undefined : reports;
    const live = (await listLiveJobs(broker, workflow)).filter((job) => !asked.has(job.id));
    if (live.length === 0) break;
    const [anchor] = live;
    const isWhole = pass === 0 && anchor?.id === id && live.length > 1;
    if (isWhole) await ask([anchor]);
    await ask(isWhole ? live.slice(1) : live);
  }
  return reports;
}

/** Those that are there and have not ended, the one that stands for the whole first. */
export async function listLiveJobs(broker: ReadingBroker, workflow: WholeWorkflow): Promise<WorkflowJob[]> {
  const jobs = listJobs(workflow);
  const stored = await readJobs(broker, jobs);
  return jobs.filter(({ id }) => {
    const summary = stored.get(id);
    return summary !== undefined && !isFinished(summary.state);
  });
}
