import { exactOptional, integer, maxValue, minValue, number, pipe, strictObject } from 'valibot';
import { explainStoredJob, unknownJob } from '../engine/app/explain-stored-job.ts';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import { TqError } from '../engine/core/errors.ts';
import type { JobExplanation } from '../engine/core/why/reason.ts';
import { readResultAnywhere } from './job-lookup.ts';
import { defineOperation } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';
import { openSchedules } from './schedules-of.ts';
import type { Session } from './session.ts';

/** One that cannot be read is an entry of that name all the same. */
async function readEntry(session: Session, name: string): Promise<unknown> {
  const { entries } = await openSchedules(session);
  return await entries.read(name).catch((error: unknown) => {
    if (error instanceof TqError && error.code === 'ENTRY_UNREADABLE') return error;
    throw error;
  });
}

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
    const broker = await session.broker();
    if (job === undefined) {
      const isEntry = (await readEntry(session, id)) !== undefined;
      return unknownJob(id, { resultsAsked: (await session.results()) !== undefined, isEntry });
    }
    return await explainStoredJob({ broker, now: () => session.clock.now(), timeoutMs }, job);
  },
  commandLine: ({ id, queue, timeoutMs }) => [
    'why',
    id,
    ...queueFlag(queue),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
  ],
});
