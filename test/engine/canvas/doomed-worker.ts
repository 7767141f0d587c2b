/**
 * A worker in a process of its own that kills itself at one of its calls between two steps of a workflow:
 * `doomed-worker.ts URL QUEUE CALL before|after FILE`.
 */
import { createApp } from '../../../src/engine/app/create-app.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { recordLog } from '../worker/recorded.ts';
import { createFailingBroker } from './failing-broker.ts';
import { defineWorkflow, LOCK } from './walked-workflow.ts';

const [url = '', queue = '', at = '', when = '', file = ''] = process.argv.slice(2);

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
};
let begin = (): void => {};
const app = createApp(
  { broker: url, defaultQueue: queue, builtins: false },
  {
    env: {},
    openBroker: async (...args) => {
      const failing = createFailingBroker(await openBroker(...args), {
        at: Number(at),
        when: when === 'before' ? 'before' : 'after',
        happens: die,
      });
      begin = failing.begin;
      return failing.broker;
    },
  },
);
defineWorkflow(app, file);
const { logger } = recordLog();
const options = { queues: [queue], concurrency: 1, lockDuration: LOCK, remoteControl: false, blockedAfter: 0, logger };
const worker = await app.createWorker(options);
await worker.start();
begin();
process.send?.('ready');
