import { randomBytes } from 'node:crypto';
import type { App, AppOptions, WorkerOptions } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import type { Worker } from '../../../src/engine/worker/worker.ts';
import type { BrokerUnderTest } from '../../support/brokers.ts';
import { recordLog } from '../worker/recorded.ts';

/** A store of its own for a group of tests, with its schema made. */
export async function createStore({ createUrl }: BrokerUnderTest): Promise<string> {
  const url = await createUrl();
  const broker = await openBroker(url, { clock: systemClock, skipSchema: true });
  await broker.migrate();
  await broker.close();
  return url;
}

/** Apps and workers of one test on one queue of its own; all are stopped when the test ends. */
export interface LiveBench {
  readonly queue: string;
  createApp(options?: AppOptions): App;
  startWorker(app: App, options?: WorkerOptions): Promise<Worker>;
  close(): Promise<void>;
}

export function createLiveBench(url: string): LiveBench {
  const queue = `q-${randomBytes(4).toString('hex')}`;
  const apps: App[] = [];
  const workers: Worker[] = [];
  let named = 0;
  return {
    queue,
    createApp(options = {}) {
      const app = createApp({ broker: url, defaultQueue: queue, builtins: false, ...options }, { env: {} });
      apps.push(app);
      return app;
    },
    async startWorker(app, options = {}) {
      named += 1;
      const name = `worker-${named}`;
      const worker = await app.createWorker({ queues: [queue], name, logger: recordLog().logger, ...options });
      workers.push(worker);
      await worker.start();
      return worker;
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stopNow()));
      await Promise.all(apps.map((app) => app.close()));
    },
  };
}
