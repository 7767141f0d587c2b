/**
 * A worker whose task blocks the event loop until a file exists, or for ever. Run as a child process; its log is its output.
 *
 * Arguments: how it blocks, the file to wait for, the file to log to (none logs to stdout).
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { createApp } from '../../../../src/engine/app/create-app.ts';
import { createLogger } from '../../../../src/engine/runtime/logger.ts';
import { createWatchdog } from '../../../../src/engine/worker/watchdog/watchdog.ts';

const [how = '', file = '', logFile] = process.argv.slice(2);

function spinUntilFileExists(): void {
  while (!existsSync(file));
}

const blocks: Record<string, () => void> = {
  loop: spinUntilFileExists,
  forever() {
    for (;;);
  },
  native: () => void execFileSync('/bin/sh', ['-c', 'while [ ! -e "$0" ]; do sleep 0.05; done', file]),
};

const logger =
  how === 'own-logger'
    ? pino({ base: { mine: true } }, process.stdout)
    : createLogger({ level: 'info', destination: logFile ?? process.stdout, base: { app: 'shop' } }).log;
if (how === 'watchdog-alone') {
  createWatchdog({ logger, thresholdMs: 200, running: new Set() });
  process.disconnect?.();
  await wait(500);
} else await runBlockedWorker();

async function runBlockedWorker(): Promise<void> {
  const app = createApp({ broker: 'sqlite::memory:', builtins: false });
  const idle = app.task('idle', () => new Promise(() => {}));
  const busy = app.task('busy', async () => {
    // What blocks comes after an await, and below a function of the application.
    await wait(1);
    (blocks[how] ?? spinUntilFileExists)();
    return 'done';
  });
  const worker = await app.createWorker({ concurrency: 2, blockedAfter: '200ms', logger });
  await worker.start();
  if (how !== 'native') await idle.delay();
  if (how === 'outside-a-task') setTimeout(spinUntilFileExists, 1);
  else {
    const job = await busy.delay();
    logger.info({ id: job.id }, 'called');
    await job.get();
  }
}
