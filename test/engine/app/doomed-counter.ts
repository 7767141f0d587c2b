/**
 * A worker in a process of its own that is killed when it has counted the dead letter that reaches the threshold of an alert, before
 * that dead letter is stored: `doomed-counter.ts URL QUEUE WEBHOOK THRESHOLD`.
 */
import { createApp } from '../../../src/engine/app/create-app.ts';
import { recordLog } from '../worker/recorded.ts';
import { registerTasks } from './live-tasks.ts';

const [url = '', queue = '', webhook = '', threshold = ''] = process.argv.slice(2);
const alerts = [{ name: 'doomed', threshold: Number(threshold), webhook }];
const app = createApp({ broker: url, defaultQueue: queue, builtins: false, alerts }, { env: {} });
registerTasks(app);

const broker = await app.broker();
const { state } = broker;
Object.defineProperty(broker, 'state', {
  value: {
    ...state,
    async count(key: string, by: number, ttlMs: number) {
      const counted = await state.count(key, by, ttlMs);
      if (by === 1 && counted.total === Number(threshold)) process.kill(process.pid, 'SIGKILL');
      return counted;
    },
  },
});
const worker = await app.createWorker({
  name: 'doomed',
  queues: [queue],
  concurrency: 1,
  lockDuration: '5s',
  logger: recordLog().logger,
});
await worker.start();
process.stdout.write('ready\n');
