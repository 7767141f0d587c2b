import { createExecutor, type ExecutorOptions } from './executor.ts';
import type { Pool, PoolListener } from './pool.ts';
import type { ProcessHooks } from './process-hooks.ts';
import { createWatchdog, type Watchdog } from './watchdog/watchdog.ts';

export interface AsyncPoolOptions extends ExecutorOptions, PoolListener {
  readonly concurrency: number;
  readonly processHooks: ProcessHooks;
  /** A block of the event loop that lasts longer is told in the log, in milliseconds; 0 or nothing watches for none. */
  readonly blockedAfterMs?: number | undefined;
}

/** Runs jobs in the event loop of this process: cheap, and right for tasks that wait. A task that blocks it blocks all. */
export function createAsyncPool(options: AsyncPoolOptions): Pool {
  const executor = createExecutor(options);
  let starting: Promise<void> | undefined;
  let stopped = false;
  let watchdog: Watchdog | undefined;
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
      if (stopped || !options.blockedAfterMs) return;
      const { logger, blockedAfterMs: thresholdMs } = options;
      watchdog = createWatchdog({ logger, thresholdMs, running: executor.running });
    },
    perform(job) {
      watchdog?.noteStart(job);
      return executor.perform(job);
    },
    resize(wanted) {
      if (wanted === size) return;
      size = wanted;
      options.onCapacity(size);
    },
    refuse: executor.refuse,
    abortAll: executor.abortAll,
    releaseAll: executor.releaseAll,
    revoke: executor.revoke,
    async stop() {
      stopped = true;
      // Who called start() hears why it failed.
      await starting?.catch(() => undefined);
      if (starting !== undefined) await options.processHooks.stop();
      await watchdog?.stop();
    },
  };
}
