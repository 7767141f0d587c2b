import type { StoredJob } from '../core/job.ts';
import { isFinished } from '../core/state.ts';
import { explainEnd } from '../core/why/ended-reasons.ts';
import { explainJob, explainUnknown } from '../core/why/explain-job.ts';
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
  // The record says all of it: nobody is asked.
  if (isFinished(state) && job.finishedAt !== null) return { id, task, queue, state, reasons: explainEnd(job) };
  const facts = await gatherWhyFacts(asking, job);
  if (facts === undefined) return unknownJob(id, false);
  return { id, task, queue, state: facts.job.state, reasons: explainJob(facts) };
}

/** @param resultsAsked whether a result store was asked for it too */
export function unknownJob(id: string, resultsAsked: boolean): JobExplanation {
  return { id, task: null, queue: null, state: 'UNKNOWN', reasons: [explainUnknown(id, { resultsAsked })] };
}
