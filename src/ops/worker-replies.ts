import { array, exactOptional, integer, maxValue, minValue, nonEmpty, number, pipe, string } from 'valibot';
import type { ControlAnswers } from '../engine/broker/control-port.ts';
import { type Addressed, askLiveWorkers } from '../engine/control/ask-live-workers.ts';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import type { Session } from './session.ts';

/** The part of an operation's input that says whom it asks. */
export const addressedInput = {
  /** Names of workers; all live ones without it. */
  destinations: exactOptional(pipe(array(string()), nonEmpty())),
  timeoutMs: exactOptional(pipe(number(), integer(), minValue(1), maxValue(MAX_TIMER_MS))),
};

/** @throws BROKER_UNAVAILABLE */
export async function askWorkers(
  session: Session,
  command: string,
  addressed: Addressed,
  args: unknown = null,
): Promise<ControlAnswers> {
  const broker = await session.broker();
  return await askLiveWorkers(broker.control, { command, args }, addressed);
}

/** The arguments of `tq` that address the same workers. */
export function formatAddressed({ destinations, timeoutMs }: Addressed): string[] {
  return [
    ...(destinations === undefined ? [] : ['-d', destinations.join(',')]),
    ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`]),
  ];
}
