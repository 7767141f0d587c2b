import type { WorkerEvent } from '../events/hooks.ts';
import { createAsyncPool } from './async-pool.ts';
import type { Pool, PoolListener } from './pool.ts';
import { PreforkPool } from './prefork/prefork-pool.ts';
import { createProcessHooks } from './process-hooks.ts';
import type { WorkerSettings } from './worker-settings.ts';

/** The pool that a worker is to run its jobs in. */
export function createPool({ prefork, ...settings }: WorkerSettings, event: WorkerEvent, listener: PoolListener): Pool {
  if (prefork !== undefined) return new PreforkPool({ ...settings, ...listener, queues: event.queues, prefork });
  return createAsyncPool({
    ...settings,
    ...listener,
    processHooks: createProcessHooks(settings.hooks, { event, logger: settings.logger }),
  });
}
