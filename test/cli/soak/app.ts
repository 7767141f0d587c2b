/** The app that the workers of a soak load. Its task writes down when it starts and ends, so that each run is known. */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { context, createApp } from '../../../src/index.ts';
import { formatRun } from './journal.ts';

const folder = process.env['SOAK_JOURNAL'] ?? '.';
let file: number | undefined;

/** Written at once, so that a process that is killed has said everything. */
function write(line: string): void {
  file ??= openSync(join(folder, `${process.pid}-${Date.now()}.journal`), 'a');
  writeSync(file, `${line}\n`);
}

export const app = createApp({ queues: ['soak'], maxWorkerLost: 1000, builtins: false });

app.task('soak.work', async (ms: number) => {
  const { id, worker } = context();
  write(formatRun({ word: 'start', id, worker, at: Date.now() }));
  await wait(ms);
  write(formatRun({ word: 'end', id, worker, at: Date.now() }));
});
