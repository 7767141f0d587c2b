import type { ControlAnswers } from '../broker/control-port.ts';
import type { Broker } from '../broker/port.ts';
import { type Addressed, askLiveWorkers } from './ask-live-workers.ts';
import { type LyingJob, listLying } from './revoked-index.ts';

/** The answers are lists of `RefusedJob`. */
export interface RevokedJobs extends ControlAnswers {
  /** Revoked jobs that lie in the broker: a worker files each away when it takes it up, and will not run it. */
  readonly waiting: readonly LyingJob[];
}

/** Entries that are looked at. */
const MAX_LISTED = 1000;

/** The revoked jobs that the workers did not run to their end, and those that still lie in the broker. @throws BROKER_UNAVAILABLE */
export async function listRevokedJobs(broker: Broker, addressed: Addressed): Promise<RevokedJobs> {
  // A job that is filed away between the two is in neither list, rather than in both.
  const replies = await askLiveWorkers(broker.control, { command: 'revoked', args: null }, addressed);
  return { ...replies, waiting: await listLying(broker, MAX_LISTED) };
}
