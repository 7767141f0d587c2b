/** A worker in a process of its own: `worker.ts URL POOL CONCURRENCY`. Says `ready`, and stops when it is told anything. */
import { createLogger } from '../../src/engine/runtime/logger.ts';
import { app } from './app.ts';

const [url = '', pool = 'async', concurrency = '2'] = process.argv.slice(2);
app.useBroker(url);
const logger = createLogger({ level: 'warn', destination: 2 });
const worker = await app.createWorker({
  concurrency: Number(concurrency),
  logger: logger.log,
  ...(pool === 'prefork' && { pool, module: new URL('./app.ts', import.meta.url) }),
});
await worker.start();
process.send?.('ready');
process.once('message', async () => {
  await worker.stop();
  await app.close();
  process.disconnect();
});
