import { strictObject } from 'valibot';
import { createError } from '../engine/core/errors.ts';
import { defineOperation } from './operation.ts';
import { jobId, jobQueue, queueFlag } from './read-result.ts';
import { type JobDetails, readDetails } from './show-job.ts';

export const showDeadLetter = defineOperation({
  name: 'show-dead-letter',
  effect: 'read',
  summary: 'Show everything about one dead letter',
  input: strictObject({ id: jobId, queue: jobQueue }),
  async run(session, { id, queue }): Promise<JobDetails> {
    const { details, isDead } = await readDetails(session, id, queue);
    if (!isDead) throw createError('NOT_DEAD_LETTER', { id, state: details.state });
    return details;
  },
  commandLine: ({ id, queue }) => ['dlq', 'show', id, ...queueFlag(queue)],
});
