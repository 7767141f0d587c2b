import type { Broker } from '../broker/port.ts';
import { cancelWorkflow } from '../canvas/cancel-workflow.ts';
import { WorkflowStore } from '../canvas/workflow-store.ts';
import { locateJobs, type Place } from '../control/locate-jobs.ts';
import { joinReplies, type RevokeReport, type RevokeRequest, revokeJobs } from '../control/revoke-jobs.ts';
import { inBatches } from '../core/batches.ts';
import type { Clock } from '../core/clock.ts';
import type { RevokedJob } from '../core/revocation.ts';
import { WORKFLOW_TASK } from '../core/workflow/graph.ts';

/** What happened to jobs, and which of the ids were those of workflows. */
export interface RevokeAllReport extends RevokeReport {
  readonly workflows: readonly string[];
}

const LOOKED_UP_AT_ONCE = 100;

/**
 * Revokes jobs; the id of a workflow stands for everything of it that has not ended, which its own job goes ahead of.
 *
 * @returns the jobs that are named, in their order, those of a workflow in place of its id
 * @throws BROKER_UNAVAILABLE, and AMBIGUOUS_JOB before anything is changed
 */
export async function revokeAll(
  { broker, clock }: { readonly broker: Broker; readonly clock: Clock },
  request: RevokeRequest,
): Promise<RevokeAllReport> {
  const ids = [...new Set(request.ids)];
  const workflows = await findWorkflows(broker, ids, request);
  const single = ids.filter((id) => !workflows.has(id));
  let marked = 0;
  const revoke = async (wanted: readonly string[], place: Place): Promise<RevokeReport> => {
    const before = marked;
    const onProgress = (done: number): void => {
      marked = before + done;
      request.onProgress?.(marked);
    };
    return await revokeJobs({ broker, clock }, { ...request, queue: undefined, ...place, ids: wanted, onProgress });
  };
  const { queue, likelyQueues } = request;
  const own: Place = queue === undefined ? { likelyQueues } : { queue };
  const reports = single.length === 0 && workflows.size > 0 ? [] : [await revoke(single, own)];
  const found = new Map<string, readonly RevokedJob[]>();
  for (const report of reports) for (const job of report.jobs) found.set(job.id, [job]);
  const store = new WorkflowStore(broker.state);
  for (const id of workflows) {
    const cancelling = {
      broker,
      store,
      revoke: (wanted: readonly string[], likely: readonly string[]) => revoke(wanted, { likelyQueues: likely }),
    };
    const passes = (await cancelWorkflow(cancelling, id)) ?? [];
    // Nothing of it was live: what became of it is said of the job that stands for it.
    if (passes.length === 0) passes.push(await revoke([id], own));
    reports.push(...passes);
    found.set(
      id,
      passes.flatMap(({ jobs }) => jobs),
    );
  }
  const jobs = ids.flatMap((id) => found.get(id) ?? []);
  return { ...joinReplies(reports), jobs, workflows: [...workflows] };
}

/** Those of the ids that stand for more than one job. */
export async function findWorkflows(
  broker: Pick<Broker, 'queue' | 'listQueues' | 'state'>,
  ids: readonly string[],
  place: Place,
): Promise<Set<string>> {
  const located = await locateJobs(broker, ids, place);
  const store = new WorkflowStore(broker.state);
  const found = await inBatches(ids, LOOKED_UP_AT_ONCE, (batch) =>
    Promise.all(
      batch.map(async (id) => {
        const job = located.get(id);
        if (job?.task === WORKFLOW_TASK) return [id];
        // One that waits for a slot or its time, or runs, stands for itself: asking would cost a read for each of thousands.
        if (job !== undefined && job.phase !== 'blocked' && job.phase !== 'finished') return [];
        return (await store.open(id)) === undefined ? [] : [id];
      }),
    ),
  );
  return new Set(found.flat());
}
