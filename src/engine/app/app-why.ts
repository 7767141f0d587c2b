import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { JobExplanation } from '../core/why/reason.ts';
import type { AsyncResult } from '../results/async-result.ts';
import { explainStoredJob, unknownJob } from './explain-stored-job.ts';

export interface WhyOptions {
  /** The queue that holds the job. Default every queue is searched. */
  queue?: string;
  /** How long silent workers are waited for. Default 2 s. */
  timeout?: Duration;
}

interface WhyParts {
  readonly clock: Clock;
  readonly openBroker: () => Promise<Broker>;
  readonly resultOf: (id: string, queue?: string) => AsyncResult;
  readonly hasResults: () => Promise<boolean>;
}

/** @throws UNKNOWN_OPTION, INVALID_DURATION, BROKER_UNAVAILABLE */
export async function explainById(
  { clock, openBroker, resultOf, hasResults }: WhyParts,
  id: string,
  options: WhyOptions = {},
): Promise<JobExplanation> {
  assertKnownOptions(options, ['queue', 'timeout'], 'app.why()');
  const timeoutMs = options.timeout === undefined ? undefined : parseDuration(options.timeout, 'timeout of app.why()');
  const job = await resultOf(id, options.queue).job();
  if (job === undefined) return unknownJob(id, { resultsAsked: await hasResults() });
  return await explainStoredJob({ broker: await openBroker(), now: () => clock.now(), timeoutMs }, job);
}
