import { createRateOrder } from '../control/rate-order.ts';
import type { AutoscaleReply, ConsumersReply, PoolReply, RateReceipt, TimeLimitReply } from '../control/replies.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { parseRate } from '../core/rate.ts';
import { assertLimits, assertTaskName } from '../task/definition.ts';
import { assertBounds, assertSlots } from '../worker/slot-count.ts';
import { type AskOptions, assertText, parseAsk } from './ask-options.ts';
import type { Ask } from './worker-question.ts';
import type { Replies } from './worker-replies.ts';

/** Between which numbers of slots a worker changes them by need. */
export interface SlotRange {
  readonly max: number;
  readonly min: number;
}

/** The limits of a task from now on; null leaves them to the worker. */
export interface NewTimeLimits {
  readonly softTimeLimit: Duration | null;
  readonly timeLimit: Duration | null;
}

/**
 * What changes a running worker until it restarts. Each resolves with what is true in each worker then; a worker that refuses
 * has its error as its reply. All throw UNKNOWN_OPTION, INVALID_OPTION and INVALID_DURATION before anybody is asked, and
 * BROKER_UNAVAILABLE.
 */
export const shapeCommands = {
  /**
   * Gives workers more slots. One that changes them by need refuses: AUTOSCALE_ON.
   *
   * @param by how many more; default 1
   */
  growPool: (ask: Ask) => (by?: number, options?: AskOptions) => changePool(ask, 'grow', by, options),

  /**
   * Takes slots from workers; one always stays. One that changes them by need refuses: AUTOSCALE_ON.
   *
   * @param by how many fewer; default 1
   */
  shrinkPool: (ask: Ask) => (by?: number, options?: AskOptions) => changePool(ask, 'shrink', by, options),

  /** Changes the bounds of workers that change their slots by need; others refuse: AUTOSCALE_OFF. */
  autoscale:
    (ask: Ask) =>
    async (bounds: SlotRange, options?: AskOptions): Promise<Replies<AutoscaleReply>> => {
      const what = 'app.control.autoscale()';
      assertObject(bounds, ['max', 'min'], what);
      const { max, min } = assertBounds(bounds);
      return await ask<AutoscaleReply>('autoscale', { max, min }, parseAsk(options, what));
    },

  /**
   * Has workers serve a further queue, last in their order. Where the app declares its queues it must be one of them.
   *
   * @param queue its name, or `name:weight`
   */
  addConsumer: (ask: Ask) => (queue: string, options?: AskOptions) => changeQueues(ask, 'add', queue, options),

  /** Has workers serve a queue no more. Running jobs of it end; one that did not serve it answers `changed: false`. */
  cancelConsumer: (ask: Ask) => (queue: string, options?: AskOptions) => changeQueues(ask, 'cancel', queue, options),

  /** Replaces the limits of a task for attempts that begin from now on. Limits of a call go first. */
  timeLimit:
    (ask: Ask) =>
    async (task: string, limits: NewTimeLimits, options?: AskOptions): Promise<Replies<TimeLimitReply>> => {
      const what = 'app.control.timeLimit()';
      assertTaskName(task);
      assertObject(limits, ['softTimeLimit', 'timeLimit'], what);
      const softTimeLimitMs = parseLimit(limits.softTimeLimit, `softTimeLimit of ${what}`);
      const timeLimitMs = parseLimit(limits.timeLimit, `timeLimit of ${what}`);
      assertLimits(softTimeLimitMs ?? undefined, timeLimitMs ?? undefined, `task "${task}"`);
      return await ask<TimeLimitReply>('time-limit', { task, softTimeLimitMs, timeLimitMs }, parseAsk(options, what));
    },

  /**
   * Replaces the rate of a task. It counts at once: jobs that the old one held are let go. A rate that is global stays so.
   *
   * @param rate as `100/m`; null for none
   */
  rateLimit:
    (ask: Ask) =>
    async (task: string, rate: string | null, options?: AskOptions): Promise<Replies<RateReceipt>> => {
      const what = 'app.control.rateLimit()';
      assertTaskName(task);
      const parsed = rate === null ? null : parseRate(rate, `rate of ${what}`);
      const order = createRateOrder(task, parsed, options?.destinations === undefined);
      return await ask<RateReceipt>('rate-limit', order, parseAsk(options, what));
    },
};

async function changePool(
  ask: Ask,
  direction: 'grow' | 'shrink',
  by = 1,
  options?: AskOptions,
): Promise<Replies<PoolReply>> {
  const what = `app.control.${direction}Pool()`;
  const args = { by: assertSlots(by, `the number of slots of ${what}`) };
  return await ask<PoolReply>(`pool-${direction}`, args, parseAsk(options, what));
}

async function changeQueues(
  ask: Ask,
  verb: 'add' | 'cancel',
  queue: string,
  options?: AskOptions,
): Promise<Replies<ConsumersReply>> {
  const what = `app.control.${verb}Consumer()`;
  assertText(queue, `the queue of ${what}`);
  return await ask<ConsumersReply>(`${verb}-consumer`, { queue }, parseAsk(options, what));
}

function assertObject(given: unknown, known: readonly string[], what: string): void {
  if (typeof given !== 'object' || given === null) {
    const expected = `an object { ${known.join(', ')} }`;
    throw createError('INVALID_OPTION', { what: `what is given to ${what}`, expected, given: formatGiven(given) });
  }
  assertKnownOptions(given, known, what);
}

/** A limit that is left out could mean none or the one of now, so it has to be said. */
function parseLimit(limit: Duration | null | undefined, what: string): number | null {
  if (limit === null) return null;
  const ms = limit === undefined ? 0 : parseDuration(limit, what);
  if (ms >= 1) return ms;
  const expected = 'a duration from 1 ms, or null to leave it to the worker';
  throw createError('INVALID_OPTION', { what, expected, given: formatGiven(limit) });
}
