/** Sends a job now and then, with the instant before the call: `latency-producer.ts BROKER_URL QUEUE COUNT`. */
import { setTimeout as wait } from 'node:timers/promises';
import { createApp } from '../src/index.ts';

const [broker = '', queue = '', count = '0'] = process.argv.slice(2);
const app = createApp({ broker, builtins: false }, { env: {} });
const ping = app.task('ping', { queue }, async (_sentAt: string) => {});
await app.broker();
for (let sent = 0; sent < Number(count); sent += 1) {
  // Long enough for the worker to fall asleep, and out of step with its timers.
  await wait(20 + Math.random() * 20);
  await ping.delay(String(process.hrtime.bigint()));
}
await app.close();
