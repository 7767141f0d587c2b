import { exactOptional, integer, maxValue, minValue, number, pipe, strictObject } from 'valibot';
import { explainStoredJob, unknownJob } from '../engine/app/explain-stored-job.ts';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import type { JobExplanation } from '../engine/core/why/reason.ts';
import { readResultAnywhere } from './job-lookup.ts';
import { defineOperation } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';

export const explainJob = defineOperation({
  name: 'explain-job',
  effect: 'read',
  summary: 'Say why a job does not run, or what happened to it',
  input: strictObject({
    id: jobId,
    queue: jobQueue,
    /** How long silent workers are waited for. */
    timeoutMs: exactOptional(pipe(number(), integer(), minValue(1), maxValue(MAX_TIMER_MS))),
  }),
  async run(session, { id, queue, timeoutMs }): Promise<JobExplanation> {
    const job = await readResultAnywhere(session, id, queue);
    if (job === undefined) return unknownJob(id, (await session.results()) !== undefined);
    const broker = await session.broker();
    return await explainStoredJob({ broker, now: () => session.clock.now(), timeoutMs }, job);
  },
  commandLine: ({ id, queue, timeoutMs }) => [
    'why',
    id,
    ...queueFlag(queue),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
  ],
});
