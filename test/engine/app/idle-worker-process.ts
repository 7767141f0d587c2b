/**
 * Makes workers that it never starts, and closes their app: nothing may keep the process from its end then.
 *
 * Arguments: broker URL, the pool of the workers.
 */
import pino from 'pino';
import { createApp } from '../../../src/engine/app/create-app.ts';

const [url = '', pool = 'async'] = process.argv.slice(2);
const app = createApp({ broker: url, builtins: false }, { env: {} });
const logger = pino({ level: 'silent' });
const options = pool === 'prefork' ? ({ pool, module: null } as const) : {};
await app.createWorker({ name: 'idle', logger, ...options });
await app.createWorker({ remoteControl: false, logger, ...options });
await app.close();
process.send?.('closed');
process.disconnect?.();
