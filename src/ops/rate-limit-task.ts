import { nonEmpty, pipe, strictObject, string } from 'valibot';
import { createRateOrder } from '../engine/control/rate-order.ts';
import { formatRate, parseRate, type Rate } from '../engine/core/rate.ts';
import { defineOperation } from './operation.ts';
import { planAsking } from './worker-command.ts';
import { addressedInput, askWorkers, formatAddressed } from './worker-replies.ts';

/** How a rate is written that limits nothing. */
const NO_LIMIT = '0';

export const rateLimitTask = defineOperation({
  name: 'rate-limit-task',
  effect: 'write',
  summary: 'Change how often the live workers start a task, until they restart',
  input: strictObject({
    task: pipe(string(), nonEmpty()),
    /** `100/m`; `0` for no limit. */
    rate: pipe(string(), nonEmpty()),
    ...addressedInput,
  }),
  async plan(session, { task, rate: text, ...addressed }) {
    const rate = parseRateOrNone(text);
    const change = rate === null ? 'remove the rate limit' : `set the rate limit to ${formatRate(rate)}`;
    return planAsking(session, addressed, (workers) => `would ${change} of task "${task}" in ${workers}`);
  },
  run: async (session, { task, rate, ...addressed }) =>
    askWorkers(
      session,
      'rate-limit',
      addressed,
      createRateOrder(task, parseRateOrNone(rate), addressed.destinations === undefined),
    ),
  commandLine: ({ task, rate, ...addressed }) => ['control', 'rate-limit', task, rate, ...formatAddressed(addressed)],
});

/** @throws INVALID_OPTION */
function parseRateOrNone(text: string): Rate | null {
  return text.trim() === NO_LIMIT ? null : parseRate(text, 'the rate limit');
}
