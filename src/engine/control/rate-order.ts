import { randomUUID } from 'node:crypto';
import { isRecord } from '../core/envelope.ts';
import { formatRate, parseRate, type Rate, type RateChange } from '../core/rate.ts';
import { assertTaskName } from '../task/definition.ts';

/** What the control command `rate-limit` tells the workers. */
export interface RateOrder {
  readonly task: string;
  /** As `100/m`; null for none. */
  readonly rate: string | null;
  /** One for all that are told: the workers of a global rate begin one new line together. */
  readonly id: string;
  /** All live workers are told: what a worker held that is gone is let go too. */
  readonly toAll: boolean;
}

export function createRateOrder(task: string, rate: Rate | null, toAll: boolean): RateOrder {
  return { task, rate: rate === null ? null : formatRate(rate), id: randomUUID(), toAll };
}

/** The order as a worker was sent it. @throws INVALID_OPTION */
export function parseRateOrder(args: unknown): RateChange {
  const { task, rate: text, id, toAll } = isRecord(args) ? args : {};
  assertTaskName(task);
  const rate = text === null ? null : parseRate(text, `rate of task "${task}"`);
  return { task, rate, id: String(id), ...(toAll === true && { toAll }) };
}
