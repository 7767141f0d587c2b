import type { RevokeReceipt } from '../control/revoke-order.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import type { RevokedJob } from '../core/revocation.ts';
import { type AskOptions, assertText, parseAsk } from './ask-options.ts';
import { revokeAll } from './revoke-all.ts';
import type { Asking } from './worker-question.ts';
import { type Replies, toReplies } from './worker-replies.ts';

/** Of `timeout` the default is 5 s: running jobs are waited for. The jobs are marked whatever the `destinations`. */
export interface RevokeOptions extends AskOptions {
  /** Ends the processes of running jobs instead of aborting their signals. */
  terminate?: boolean;
  /** The queue that holds the jobs. Default every queue is searched. */
  queue?: string;
  /** Who asks, for the record. */
  by?: string;
}

/** The replies are the receipts of the workers that were asked; nobody is asked when none of the jobs runs. */
export interface RevokeReplies extends Replies<readonly RevokeReceipt[]> {
  /** What happened to each, in the order of the ids, each once; of a workflow, to each of its jobs that had not ended. */
  readonly jobs: readonly RevokedJob[];
  /** Those of the ids that were of workflows. */
  readonly workflows: readonly string[];
}

export type Revoke = (ids: string | readonly string[], options?: RevokeOptions) => Promise<RevokeReplies>;

const KEYS: readonly (keyof RevokeOptions)[] = ['destinations', 'timeout', 'terminate', 'queue', 'by'];
const WHAT = 'app.control.revoke()';

export function createRevoke({ openBroker, clock, queues }: Asking): Revoke {
  return async (ids, options = {}) => {
    const addressed = parseAsk(options, WHAT, KEYS);
    const { terminate = false, queue, by } = options;
    if (queue !== undefined) assertText(queue, `queue of ${WHAT}`);
    if (by !== undefined) assertText(by, `by of ${WHAT}`);
    if (typeof terminate !== 'boolean') {
      const given = formatGiven(terminate);
      throw createError('INVALID_OPTION', { what: `terminate of ${WHAT}`, expected: 'true or false', given });
    }
    const place = queue === undefined ? { likelyQueues: queues } : { queue };
    const request = { ids: parseIds(ids), terminate, by, ...place, ...addressed };
    const { jobs, workflows, ...answers } = await revokeAll({ broker: await openBroker(), clock }, request);
    return { jobs, workflows, ...toReplies<readonly RevokeReceipt[]>(answers) };
  };
}

/** No id at all is no mistake of a program that looked for some. */
function parseIds(given: unknown): readonly string[] {
  const ids: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const id of ids) assertText(id, `each id of ${WHAT}`);
  return ids as readonly string[];
}
