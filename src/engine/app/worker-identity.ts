import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Broker } from '../broker/port.ts';
import { formatWorkerName } from '../control/name-template.ts';
import { type ControlHandler, openWorkerControl, type WorkerControl } from '../control/worker-control.ts';
import type { Clock } from '../core/clock.ts';
import { TqError } from '../core/errors.ts';

const DEFAULT_NAME = 'tq@%h';
/** The second worker of a machine that was not given a name either. */
const NUMBERED_NAME = 'tq%n@%h';

export interface IdentityOptions {
  /** With placeholders. Without it, the workers of one machine are `tq@host`, `tq2@host`, `tq3@host`. */
  readonly template: string | undefined;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handlers: Readonly<Record<string, ControlHandler>>;
}

/**
 * Takes a name that no other live worker has, and with it the way to be reached.
 *
 * @throws WORKER_NAME_TAKEN for a name that was chosen and is a live worker's, BROKER_UNAVAILABLE, INVALID_OPTION
 */
export async function takeIdentity({ template, ...options }: IdentityOptions): Promise<WorkerControl> {
  try {
    return await openWorkerControl({ ...options, template: template ?? DEFAULT_NAME });
  } catch (error) {
    const isTaken = error instanceof TqError && error.code === 'WORKER_NAME_TAKEN';
    if (!isTaken || (template ?? DEFAULT_NAME) !== DEFAULT_NAME) throw error;
    return openWorkerControl({ ...options, template: NUMBERED_NAME, firstNumber: 2 });
  }
}

/** The name of a worker that takes part in no remote control: nobody checks that it is the only one. */
export function formatOwnName(template = DEFAULT_NAME): string {
  return formatWorkerName(template, { host: hostname(), pid: process.pid });
}
