import { strictObject } from 'valibot';
import { type ActiveJobs, listActiveJobs } from '../engine/control/active-jobs.ts';
import { defineOperation } from './operation.ts';
import { addressedInput, formatAddressed } from './worker-replies.ts';

export const listActive = defineOperation({
  name: 'list-active',
  effect: 'read',
  summary: 'List the jobs that the live workers run, and those that no live worker claims',
  input: strictObject(addressedInput),
  run: async (session, addressed): Promise<ActiveJobs> =>
    listActiveJobs(await session.broker(), addressed, () => session.clock.now()),
  commandLine: (addressed) => ['inspect', 'active', ...formatAddressed(addressed)],
});
