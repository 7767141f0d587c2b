import { createExecutor, type ExecutorOptions } from './executor.ts';
import type { Pool, PoolListener } from './pool.ts';
import type { ProcessHooks } from './process-hooks.ts';

export interface AsyncPoolOptions extends ExecutorOptions, PoolListener {
  readonly concurrency: number;
  readonly processHooks: ProcessHooks;
}

/** Runs jobs in the event loop of this process: cheap, and right for tasks that wait. A task that blocks it blocks all. */
export function createAsyncPool(options: AsyncPoolOptions): Pool {
  const executor = createExecutor(options);
  let starting: Promise<void> | undefined;
  let stopped = false;
  let size = options.concurrency;
  return {
    get size() {
      return size;
    },
    get capacity() {
      return size;
    },
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
    resize(wanted) {
      if (wanted === size) return;
      size = wanted;
      options.onCapacity(size);
    },
    refuse: executor.refuse,
    abortAll: executor.abortAll,
    releaseAll: executor.releaseAll,
    async stop() {
      stopped = true;
      // Who called start() hears why it failed.
      await starting?.catch(() => undefined);
      if (starting !== undefined) await options.processHooks.stop();
    },
  };
}
