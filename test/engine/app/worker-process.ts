/**
 * A worker in a process of its own: `worker-process.ts URL QUEUE NAME`. Its tasks say on stdout what they do.
 *
 * It may be sent `jump MS`: from then on its wall clock is so much ahead, or behind.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { context } from '../../../src/index.ts';
import { recordLog } from '../worker/recorded.ts';

const [url = '', queue = '', name = ''] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.on('message', (message) => {
  const [word, ms] = String(message).split(' ');
  if (word !== 'jump') return;
  const { now } = Date;
  Date.now = () => now() + Number(ms);
  say('jumped');
});

const app = createApp({ broker: url, defaultQueue: queue, builtins: false }, { env: {} });

app.task('hold', async () => {
  say(`started ${context().id}`);
  await wait(600_000, undefined, { signal: context().signal });
});

app.task('short', async (ms: number) => {
  await wait(ms);
  say(`ended ${context().id}`);
});

const log = recordLog();
const worker = await app.createWorker({
  name,
  queues: [queue],
  concurrency: 100,
  lockDuration: '5s',
  logger: log.logger,
});
await worker.start();
say('ready');
