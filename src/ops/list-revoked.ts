import { strictObject } from 'valibot';
import { type LyingJob, listLying } from '../engine/control/revoked-index.ts';
import { defineOperation } from './operation.ts';
import { addressedInput, askWorkers, formatAddressed, type WorkerReplies } from './worker-replies.ts';

export interface RevokedJobs extends WorkerReplies {
  /** Revoked jobs that lie in the broker: a worker files each away when it takes it up, and will not run it. */
  readonly waiting: readonly LyingJob[];
}

/** Entries that are looked at. */
const MAX_LISTED = 1000;

export const listRevoked = defineOperation({
  name: 'list-revoked',
  effect: 'read',
  summary: 'List the revoked jobs that workers ended, and those that still lie in the broker',
  input: strictObject(addressedInput),
  async run(session, addressed): Promise<RevokedJobs> {
    const broker = await session.broker();
    const replies = await askWorkers(session, 'revoked', addressed);
    return { ...replies, waiting: await listLying(broker, MAX_LISTED) };
  },
  commandLine: (addressed) => ['inspect', 'revoked', ...formatAddressed(addressed)],
});
