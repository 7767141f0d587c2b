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
}

export function createRateOrder(task: string, rate: Rate | null): RateOrder {
  return { task, rate: rate === null ? null : formatRate(rate), id: randomUUID() };
}

/** The order as a worker was sent it. @throws INVALID_OPTION */
export function parseRateOrder(args: unknown): RateChange {
  const { task, rate, id } = isRecord(args) ? args : {};
  assertTaskName(task);
  return { task, rate: rate === null ? null : parseRate(rate, `rate of task "${task}"`), id: String(id) };
}
