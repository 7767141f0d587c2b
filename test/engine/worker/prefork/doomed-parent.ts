/**
 * A pool of two children, one busy with a task that has started a process: for tests to kill. Run with an IPC channel; it
 * says the ids of all three. Arguments: a folder to write in, the task.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseRetry } from '../../../../src/engine/core/retry-policy.ts';
import { createLogger } from '../../../../src/engine/runtime/logger.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { PreforkPool } from '../../../../src/engine/worker/prefork/prefork-pool.ts';
import { FakeJob } from '../fake-job.ts';
import { app } from './faulty-app.ts';

const [, , folder = '', task = ''] = process.argv;
const file = join(folder, 'pid');
const destination = new Writable({
  write(text: Buffer, _, done) {
    if (String(text).includes('holding')) void tell();
    done();
  },
});
const pool = new PreforkPool({
  worker: 'doomed',
  queues: ['default'],
  tasks: app.tasks,
  clock: systemClock,
  logger: createLogger({ level: 'info', destination }).log,
  hooks: {},
  random: Math.random,
  unknownTasks: parseRetry({}, 'unknownTasks'),
  maxWorkerLost: 3,
  concurrency: 2,
  onCapacity: () => {},
  prefork: { module: fileURLToPath(new URL('./faulty-app.ts', import.meta.url)), brokerUrl: undefined },
});

async function tell(): Promise<void> {
  process.send?.([...pool.children, Number(await readFile(file, 'utf8'))]);
}

await pool.start();
await pool.perform(new FakeJob({ task, args: [file] }));
