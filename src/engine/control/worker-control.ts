/**
 * How a worker is reached: its name, and its answers.
 *
 * 1. `openWorkerControl` takes the name, before anything is made that bears it.
 * 2. `join` puts the worker on the control bus, when it is ready to be asked.
 * 3. `leave` takes it off, then gives the name back, when it has stopped. A worker that stops is still asked: operators want
 *    to see what it waits for.
 *
 * A worker lives without it: trouble on the bus is logged and mended, and stops no job.
 */
import type { Logger } from 'pino';
import { type ControlMembership, createNodeId } from '../broker/control-port.ts';
import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import { assertJson } from '../core/json.ts';
import { nearestNames } from '../core/nearest.ts';
import { type ControlCommand, controlCommands } from './control-commands.ts';
import type { ControlledWorker } from './controlled-worker.ts';
import { type NameRequest, takeWorkerName } from './worker-name.ts';

/**
 * A control command of an application, asked for by its name.
 *
 * @param args what the asker sent: JSON, unchecked
 * @returns what JSON can carry, or nothing; anything else is answered with the error NOT_JSON
 */
export type ControlHandler = (args: unknown, worker: ControlledWorker) => unknown;

export interface WorkerControlOptions {
  /** Name of the worker, with placeholders (name-template.ts). */
  readonly template: string;
  /** Where the numbers of `%n` begin. Default 1. */
  readonly firstNumber?: number;
  readonly broker: Pick<Broker, 'state' | 'control'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the application; `assertControlHandlers` has checked their names. */
  readonly handlers?: Readonly<Record<string, ControlHandler>>;
  /** How the name is held; for tests. */
  readonly naming?: Pick<NameRequest, 'leaseMs' | 'renewMs' | 'place'>;
}

export interface WorkerControl {
  readonly name: string;
  /** @throws BROKER_UNAVAILABLE */
  join(worker: ControlledWorker): Promise<void>;
  /** Bounded also while the broker is away; may be called without a join, and again. */
  leave(): Promise<void>;
}

/** @throws WORKER_NAME_TAKEN, BROKER_UNAVAILABLE, INVALID_OPTION for a template that gives no usable name */
export async function openWorkerControl(options: WorkerControlOptions): Promise<WorkerControl> {
  const { template, broker, clock, logger } = options;
  const nodeId = createNodeId();
  const held = await takeWorkerName({
    ...options.naming,
    template,
    ...(options.firstNumber !== undefined && { firstNumber: options.firstNumber }),
    nodeId,
    state: broker.state,
    clock,
    onLost: ({ host, pid }) =>
      logger.error(
        { host, pid },
        'another worker has the name of this one now; this one was not heard of for too long',
      ),
    onTrouble: (error) => logger.debug({ err: error }, 'the name of the worker could not be renewed'),
  });
  let joining: Promise<ControlMembership> | undefined;
  let leaving: Promise<void> | undefined;

  return {
    name: held.name,
    async join(worker) {
      joining ??= broker.control.join({
        id: nodeId,
        name: held.name,
        handle({ command, args }) {
          if (command === 'shutdown') logger.info('stopping: asked for over the control bus; running jobs may end');
          return findCommand(command, held.name, options)({ worker, clock }, args);
        },
        onTrouble: (error) => logger.debug({ err: error }, 'trouble on the control bus'),
        onForeign: (reason) => logger.debug({ reason }, 'a message on the control bus is none of ours and is ignored'),
      });
      await joining;
    },
    leave() {
      leaving ??= (async () => {
        const membership = await joining?.catch(() => undefined);
        await membership?.leave();
        await held.release();
      })();
      return leaving;
    },
  };
}

/** @throws INVALID_OPTION for a handler under the name of a command of tq, or that is no function */
export function assertControlHandlers(handlers: Readonly<Record<string, unknown>>): void {
  for (const [name, handler] of Object.entries(handlers)) {
    const what = `control.${name} of the app`;
    if (Object.hasOwn(controlCommands, name)) {
      throw createError('INVALID_OPTION', { what, expected: 'under a name that tq has no command for', given: name });
    }
    if (typeof handler !== 'function') {
      throw createError('INVALID_OPTION', { what, expected: 'a function', given: typeof handler });
    }
  }
}

function findCommand(command: string, worker: string, { handlers = {} }: WorkerControlOptions): ControlCommand {
  if (Object.hasOwn(controlCommands, command)) return controlCommands[command as keyof typeof controlCommands];
  const handler = Object.hasOwn(handlers, command) ? handlers[command] : undefined;
  if (handler !== undefined) {
    return async (context, args) => {
      const value = (await handler(args, context.worker)) ?? null;
      assertJson(value, `the answer of worker ${worker} to "${command}"`, 'answer');
      return { value };
    };
  }
  const known = [...Object.keys(controlCommands), ...Object.keys(handlers)];
  throw createError('UNKNOWN_CONTROL', { worker, command, near: nearestNames(command, known) });
}
