import { array, exactOptional, integer, maxValue, minValue, nonEmpty, number, pipe, string } from 'valibot';
import type { ControlAnswer } from '../engine/broker/control-port.ts';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import type { Session } from './session.ts';

/** What each live worker answered, by its name, and who was asked and did not. */
export interface WorkerReplies {
  readonly answers: ReadonlyMap<string, ControlAnswer>;
  readonly silent: readonly string[];
}

/** Whom to ask, and for how long to wait. */
export interface Addressed {
  readonly destinations?: readonly string[];
  readonly timeoutMs?: number;
}

/** The part of an operation's input that says whom it asks. */
export const addressedInput = {
  /** Names of workers; all live ones without it. */
  destinations: exactOptional(pipe(array(string()), nonEmpty())),
  timeoutMs: exactOptional(pipe(number(), integer(), minValue(1), maxValue(MAX_TIMER_MS))),
};

/** A worker answers within milliseconds unless its event loop is blocked. */
const DEFAULT_TIMEOUT_MS = 2000;

/** @throws BROKER_UNAVAILABLE */
export async function askWorkers(
  session: Session,
  command: string,
  { destinations, timeoutMs = DEFAULT_TIMEOUT_MS }: Addressed,
  args: unknown = null,
): Promise<WorkerReplies> {
  const broker = await session.broker();
  const only = destinations === undefined ? {} : { destinations };
  return await broker.control.ask({ command, args, ...only, timeoutMs });
}

/** The arguments of `tq` that address the same workers. */
export function formatAddressed({ destinations, timeoutMs }: Addressed): string[] {
  return [
    ...(destinations === undefined ? [] : ['-d', destinations.join(',')]),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
  ];
}
