import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { STATE_CODES } from '../../../../src/engine/broker/sqlite/schema.ts';
import { createSqliteBackend } from '../../../../src/sqlite.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { auditDatabase, readStates } from './processes/audit.ts';
import { seededRandom } from './processes/seeded-random.ts';
import { type StartedProcess, startProcess } from './processes/started-process.ts';

/** How many processes are killed; a long run takes hundreds. */
const KILLS = Number(process.env['TQ_CRASH_KILLS'] ?? 20);
/** Repeats the moments of a run, as far as processes repeat themselves. */
const SEED = Number(process.env['TQ_CRASH_SEED'] ?? Math.floor(Math.random() * 1e9));
const AT_ONCE = 3;
/** Long enough that a stall of a loaded machine is not taken for a death. */
const LOCK_MS = 3000;

/** What the processes were told and told: everything that an acknowledgement or a run can be held to. */
interface Ledger {
  /** The kind of each job whose addition was acknowledged. */
  readonly added: Map<string, string>;
  /** The processes that began an attempt, in order, by job and attempt. */
  readonly starts: Map<string, string[]>;
  /** The attempts whose end was acknowledged to a process. */
  readonly ends: Map<string, Set<string>>;
  readonly errors: string[];
}

const createLedger = (): Ledger => ({ added: new Map(), starts: new Map(), ends: new Map(), errors: [] });

function record(ledger: Ledger, by: string, line: string): void {
  const [word, id = '', detail = ''] = line.split(' ');
  const attempt = `${id} ${detail}`;
  if (word === 'added') ledger.added.set(id, detail);
  else if (word === 'started') ledger.starts.set(attempt, [...(ledger.starts.get(attempt) ?? []), by]);
  else if (word === 'ended') ledger.ends.set(attempt, (ledger.ends.get(attempt) ?? new Set()).add(by));
  else ledger.errors.push(`${by}: ${line}`);
}

/** Starts processes and kills each at a random moment, a few side by side. */
async function killThem(path: string, ledger: Ledger): Promise<void> {
  const random = seededRandom(SEED);
  let started = 0;
  const slot = async (): Promise<void> => {
    while (started < KILLS) {
      started += 1;
      const name = `p${started}`;
      const args = [path, name, String(Math.floor(random() * 2 ** 31)), String(LOCK_MS)];
      const mortal = startProcess(new URL('./processes/mortal-process.ts', import.meta.url), args);
      // One in five dies while it starts, the others while they work.
      if (random() < 0.8) await mortal.said('added');
      await pause(random() * 300);
      await mortal.kill();
      for (const line of mortal.lines.all) record(ledger, name, line);
      if (mortal.complaints !== '') ledger.errors.push(`${name}: ${mortal.complaints}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, slot));
}

/** Runs what is left, in this process. */
async function drain(path: string, ledger: Ledger): Promise<void> {
  const connection = { path };
  const queue = new Queue('crash', { connection }, createSqliteBackend);
  const worker = new Worker(
    'crash',
    async (job) => {
      record(ledger, 'last', `started ${job.id} ${job.attemptsMade}`);
      if (job.name === 'retried' && job.attemptsMade === 0) throw new Error('the first attempt fails');
    },
    { connection, concurrency: 50, lockDuration: LOCK_MS, stalledInterval: 500, maxStalledCount: 1000, drainDelay: 1 },
    createSqliteBackend,
  );
  const complain = (error: Error) => ledger.errors.push(`last: ${error.message}`);
  worker.on('error', complain);
  queue.on('error', complain);
  const open = ['waiting', 'active', 'delayed', 'prioritized', 'waiting-children'] as const;
  try {
    await waitFor(
      'the last worker to run what is left',
      async () => Object.values(await queue.getJobCounts(...open)).every((count) => count === 0),
      { timeoutMs: 60_000, everyMs: 100 },
    );
  } finally {
    await worker.close();
    await queue.close();
  }
}

describe(`processes that are killed (TQ_CRASH_SEED=${SEED} TQ_CRASH_KILLS=${KILLS})`, () => {
  test(
    'lose no job, run none twice that was not running, and leave a sound file',
    {
      timeout: 120_000 + KILLS * 2000,
    },
    () =>
      withTempDir(async (folder) => {
        const path = join(folder, 'jobs.db');
        const ledger = createLedger();

        await killThem(path, ledger);
        expect(auditDatabase(path)).toEqual([]);
        await drain(path, ledger);

        expect(ledger.errors).toEqual([]);
        expect(ledger.added.size).toBeGreaterThan(KILLS);
        const states = readStates(path);
        const began = new Set([...ledger.starts.keys()].map((attempt) => attempt.split(' ')[0]));
        const lost = [...ledger.added].filter(
          ([id, kind]) =>
            !began.has(id) || (kind === 'removed' ? states.has(id) : states.get(id) !== STATE_CODES.completed),
        );
        expect(lost).toEqual([]);
        // Jobs whose addition was not acknowledged may be there; they ran as well.
        expect([...states].filter(([, state]) => state !== STATE_CODES.completed)).toEqual([]);

        const repeated = [...ledger.starts].filter(([, processes]) => processes.length > 1);
        const twice = repeated.filter(([attempt, processes]) => {
          const ended = ledger.ends.get(attempt);
          const mayRepeat = processes.slice(0, -1).every((by) => by !== 'last' && ended?.has(by) !== true);
          return !mayRepeat || new Set(processes).size < processes.length;
        });
        expect(twice).toEqual([]);
        expect(auditDatabase(path)).toEqual([]);
      }),
  );

  test('while they make the database leave a file that the next one can use', { timeout: 60_000 }, () =>
    withTempDir(async (folder) => {
      const random = seededRandom(SEED);
      const opening = new URL('./processes/opening-process.ts', import.meta.url);
      for (let kill = 0; kill < Math.ceil(KILLS / 6); kill += 1) {
        const own = join(folder, String(kill));
        const others: StartedProcess[] = [startProcess(opening, [own, '10000']), startProcess(opening, [own, '10000'])];
        await Promise.all(others.map((other) => other.said('ready')));
        await pause(random() * 100);
        await Promise.all(others.map((other) => other.kill()));
        expect(others.map(({ complaints }) => complaints)).toEqual(['', '']);
        for (const file of readdirSync(own).filter((name) => name.endsWith('.db'))) {
          const path = join(own, file);
          const queue = new Queue('crash', { connection: { path } }, createSqliteBackend);
          await queue.add('first', {});
          await queue.close();
          expect(auditDatabase(path)).toEqual([]);
        }
      }
    }),
  );
});
