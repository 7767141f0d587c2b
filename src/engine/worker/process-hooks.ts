import type { Logger } from 'pino';
import type { Hooks, WorkerEvent } from '../events/hooks.ts';

/** The hooks of a process that runs tasks: the worker itself, or each child of it. */
export interface ProcessHooks {
  /** @throws what the hook `processStart` throws */
  start(): Promise<void>;
  /** Never throws: what the hook `processStop` throws is logged. */
  stop(): Promise<void>;
}

export function createProcessHooks(
  hooks: Hooks,
  { event, logger }: { event: WorkerEvent; logger: Logger },
): ProcessHooks {
  return {
    async start() {
      await hooks.processStart?.(event);
    },
    async stop() {
      try {
        await hooks.processStop?.(event);
      } catch (error) {
        logger.error({ err: error }, 'the hook processStop failed');
      }
    },
  };
}
