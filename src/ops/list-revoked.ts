import { strictObject } from 'valibot';
import { listRevokedJobs, type RevokedJobs } from '../engine/control/revoked-jobs.ts';
import { defineOperation } from './operation.ts';
import { addressedInput, formatAddressed } from './worker-replies.ts';

export const listRevoked = defineOperation({
  name: 'list-revoked',
  effect: 'read',
  summary: 'List the revoked jobs that workers ended, and those that still lie in the broker',
  input: strictObject(addressedInput),
  run: async (session, addressed): Promise<RevokedJobs> => listRevokedJobs(await session.broker(), addressed),
  commandLine: (addressed) => ['inspect', 'revoked', ...formatAddressed(addressed)],
});
