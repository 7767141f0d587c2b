import type { StoredJob } from '../core/job.ts';
import { readFiring } from '../core/schedule/firing.ts';
import { isFinished } from '../core/state.ts';
import { explainEnd } from '../core/why/ended-reasons.ts';
import { explainJob, explainUnknown, type UnknownFacts } from '../core/why/explain-job.ts';
import type { JobExplanation } from '../core/why/reason.ts';
import { gatherWhyFacts, type WhyAsking } from './why-facts.ts';

/**
 * Why a job does not run, or what happened to it.
 *
 * @param job as the broker or the result store has it
 * @throws BROKER_UNAVAILABLE
 */
export async function explainStoredJob(asking: WhyAsking, job: StoredJob): Promise<JobExplanation> {
  const { id, task, queue, state } = job;
  const schedule = readFiring(job) ?? null;
  // The record says all of it: nobody is asked.
  if (isFinished(state) && job.finishedAt !== null)
    return { id, task, queue, state, schedule, reasons: explainEnd(job) };
  const facts = await gatherWhyFacts(asking, job);
  if (facts === undefined) return unknownJob(id, { resultsAsked: false });
  return { id, task, queue, state: facts.job.state, schedule, reasons: explainJob(facts) };
}

export function unknownJob(id: string, facts: UnknownFacts): JobExplanation {
  const nothing = { task: null, queue: null, state: 'UNKNOWN', schedule: null } as const;
  return { id, ...nothing, reasons: [explainUnknown(id, facts)] };
}
