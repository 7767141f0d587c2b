import { join } from 'node:path';
import { Queue } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { STATE_CODES } from '../../../../src/engine/broker/sqlite/schema.ts';
import { createSqliteBackend } from '../../../../src/sqlite.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { auditDatabase, readStates } from './processes/audit.ts';
import { type StartedProcess, startProcess } from './processes/started-process.ts';

/** How many jobs all producers add together; a long run takes 100,000. */
const JOBS = Number(process.env['TQ_MULTIPROCESS_JOBS'] ?? 20_000);
const PRODUCERS = 4;
const WORKERS = 4;
const QUEUE = 'shared';

const PRODUCER = new URL('./processes/producer-process.ts', import.meta.url);
const WORKER = new URL('./processes/worker-process.ts', import.meta.url);

const errorsOf = (started: readonly StartedProcess[]): string[] =>
  started.flatMap(({ lines, complaints }) => [
    ...lines.all.filter((line) => line.startsWith('error')),
    ...(complaints === '' ? [] : [complaints]),
  ]);

describe(`${PRODUCERS} producers and ${WORKERS} workers on one file (TQ_MULTIPROCESS_JOBS=${JOBS})`, () => {
  test('run each job exactly once, and no lock of the file reaches the user', { timeout: 60_000 + JOBS * 10 }, () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      // The file is not there yet: all of them come to make it.
      const workers = Array.from({ length: WORKERS }, () => startProcess(WORKER, [path, QUEUE]));
      const producers = Array.from({ length: PRODUCERS }, (_, index) =>
        startProcess(PRODUCER, [path, QUEUE, `p${index}`, String(JOBS / PRODUCERS)]),
      );
      const all = [...workers, ...producers];
      try {
        await Promise.all(all.map((started) => started.said('ready')));
        for (const producer of producers) producer.tell('start');
        await Promise.all(producers.map((producer) => producer.said('done')));
        const queue = new Queue(QUEUE, { connection: { path } }, createSqliteBackend);
        await waitFor('every job to be completed', async () => (await queue.getCompletedCount()) === JOBS, {
          timeoutMs: 30_000 + JOBS * 5,
          everyMs: 100,
          detail: () => errorsOf(all).join('\n'),
        });
        await queue.close();
        for (const worker of workers) worker.tell('end');
        const ran = (await Promise.all(workers.map(({ message }) => message))) as string[][];
        const exits = await Promise.all(all.map(({ ended }) => ended));

        expect(errorsOf(all)).toEqual([]);
        expect(exits.filter(({ code }) => code !== 0)).toEqual([]);
        const ids = ran.flat();
        expect(ids).toHaveLength(JOBS);
        expect(new Set(ids).size).toBe(JOBS);
        expect(ran.filter((share) => share.length === 0)).toEqual([]);
        const states = readStates(path);
        expect(ids.filter((id) => states.get(id) !== STATE_CODES.completed)).toEqual([]);
        expect(states.size).toBe(JOBS);
        expect(auditDatabase(path)).toEqual([]);
      } finally {
        await Promise.all(all.map((started) => started.kill()));
      }
    }),
  );
});
