import type { FlowJob } from '../broker/port.ts';

/**
 * Gives the jobs of a flow the priorities that their queues can have: on a queue with priorities every job has one, 0 without a
 * wish; on any other none has.
 *
 * @param hasPriorities asked once a queue
 * @param onRefused a job wishes for a priority that its queue cannot give; without it, the wish is dropped: a step that is planned in
 *   a worker runs all the same
 */
export async function fitPriorities(
  jobs: readonly FlowJob[],
  hasPriorities: (queue: string) => Promise<boolean>,
  onRefused?: (job: FlowJob) => void,
): Promise<FlowJob[]> {
  const known = new Map<string, boolean>();
  const fitted: FlowJob[] = [];
  for (const flowJob of jobs) {
    const { queue, job } = flowJob;
    let has = known.get(queue);
    if (has === undefined) {
      has = await hasPriorities(queue);
      known.set(queue, has);
    }
    const { priority, ...rest } = job;
    if (has) fitted.push({ ...flowJob, job: { ...rest, priority: priority ?? 0 } });
    else if (priority === undefined) fitted.push(flowJob);
    else {
      onRefused?.(flowJob);
      fitted.push({ ...flowJob, job: rest });
    }
  }
  return fitted;
}
