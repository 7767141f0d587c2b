import type { ControlAnswers, ControlBus, ControlRequest } from '../broker/control-port.ts';

/** Whom to ask, and for how long to wait. */
export interface Addressed {
  /** Names of workers; all live ones without it. */
  readonly destinations?: readonly string[];
  readonly timeoutMs?: number;
}

/** A worker answers within milliseconds unless its event loop is blocked. */
const DEFAULT_TIMEOUT_MS = 2000;

/** @throws BROKER_UNAVAILABLE, INVALID_OPTION for arguments that are too large */
export function askLiveWorkers(
  control: ControlBus,
  { command, args }: ControlRequest,
  { destinations, timeoutMs = DEFAULT_TIMEOUT_MS }: Addressed,
): Promise<ControlAnswers> {
  return control.ask({ command, args, ...(destinations !== undefined && { destinations }), timeoutMs });
}
