import { createExecutor, type ExecutorOptions } from './executor.ts';
import type { Pool } from './pool.ts';
import type { ProcessHooks } from './process-hooks.ts';

export interface AsyncPoolOptions extends ExecutorOptions {
  readonly concurrency: number;
  readonly processHooks: ProcessHooks;
}

/** Runs jobs in the event loop of this process: cheap, and right for tasks that wait. A task that blocks it blocks all. */
export function createAsyncPool(options: AsyncPoolOptions): Pool {
  const executor = createExecutor(options);
  let starting: Promise<void> | undefined;
  let stopped = false;
  return {
    size: options.concurrency,
    capacity: options.concurrency,
    running: executor.running,
    children: [],
    get handedBack() {
      return executor.handedBack;
    },
    async start() {
      if (stopped) return;
      starting = options.processHooks.start();
      await starting;
    },
    perform: executor.perform,
    refuse: executor.refuse,
    abortAll: executor.abortAll,
    releaseAll: executor.releaseAll,
    revoke: executor.revoke,
    async stop() {
      stopped = true;
      // Who called start() hears why it failed.
      await starting?.catch(() => undefined);
      if (starting !== undefined) await options.processHooks.stop();
    },
  };
}
