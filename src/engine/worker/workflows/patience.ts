import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TakenJob } from '../../broker/port.ts';
import { TqError } from '../../core/errors.ts';
import { untilAborted } from '../../core/until-aborted.ts';

/** What a wait that was given up throws: nobody shows it, the job goes back to its queue. */
export const GIVEN_UP = Symbol('given up');

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

export interface Patience {
  /**
   * Does something with the broker, again and again while that is away. What is done again must be harmless.
   *
   * @throws GIVEN_UP, and what is no absence of the broker
   */
  wait<Result>(doing: string, job: TakenJob, act: () => Promise<Result>): Promise<Result>;
  giveUp(): void;
}

/** For what a job must have done before its outcome may be stored. Its lock is renewed meanwhile, when the broker can be reached. */
export function createPatience({ logger }: { readonly logger: Logger }): Patience {
  const given = new AbortController();
  const { signal } = given;
  return {
    async wait(doing, job, act) {
      for (let times = 0; !signal.aborted; times += 1) {
        try {
          const done = await untilAborted(
            act().then((result) => ({ result })),
            signal,
          );
          if (done !== undefined) return done.result;
        } catch (error) {
          if (!(error instanceof TqError) || error.code !== 'BROKER_UNAVAILABLE') throw error;
          if (times === 0) {
            logger.warn({ err: error, task_id: job.id, task_name: job.task }, `${doing} waits for the broker`);
          }
          await wait(Math.min(FIRST_WAIT_MS * 2 ** times, LONGEST_WAIT_MS), undefined, { signal }).catch(
            () => undefined,
          );
        }
      }
      throw GIVEN_UP;
    },
    giveUp() {
      given.abort();
    },
  };
}
