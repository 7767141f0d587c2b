import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { afterEach, describe, expect, test } from 'vitest';
import { holdDatabase } from '../../../../src/engine/broker/sqlite/database.ts';
import { LATEST_VERSION } from '../../../../src/engine/broker/sqlite/schema.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { createSqliteBackend, type SqliteConnection } from '../../../../src/sqlite.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { createChannel } from '../channel.ts';
import { newJob, openWorkshop, SUCCEEDED, type Workshop } from '../workshop.ts';
import { auditDatabase, readStates } from './processes/audit.ts';
import { type StartedProcess, startProcess } from './processes/started-process.ts';

const LASTING_WORKER = new URL('./processes/lasting-worker-process.ts', import.meta.url);
const REFUSED = new URL('./processes/refused-process.ts', import.meta.url);

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

function openQueue(connection: SqliteConnection, name = 'mail'): Queue {
  const queue = new Queue(name, { connection: connection as never }, createSqliteBackend as never) as Queue;
  queue.on('error', () => undefined);
  ending.push(() => queue.close());
  return queue;
}

async function openTqWorkshop(url: string): Promise<Workshop> {
  const workshop = await openWorkshop('sqlite', url);
  ending.push(() => workshop.close());
  return workshop;
}

/** Makes a database with one job, `kept`, and lets go of it. */
async function leaveJob(path: string): Promise<void> {
  const queue = openQueue({ path });
  await queue.add('letter', {}, { jobId: 'kept' });
  await queue.close();
}

function startLastingWorker(path: string, userId = ''): StartedProcess {
  const worker = startProcess(LASTING_WORKER, [path, 'mail', userId]);
  ending.push(() => worker.kill());
  return worker;
}

/** What of a rejection a user acts on. */
const refusalOf = (work: Promise<unknown>): Promise<{ code?: string; message?: string; next?: string }> =>
  work.then(
    () => ({ message: 'it was not refused' }),
    ({ code, message, next }) => ({ code, message, next }),
  );

describe('a file that is not ours', () => {
  const makeForeign = (path: string): void => {
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE cooking (recipe TEXT)');
    database.close();
  };
  const cases: [what: string, make: (path: string) => void, reason: RegExp][] = [
    ['a text', (path) => writeFileSync(path, 'Dear reader,\n'.repeat(400)), /not a SQLite database/],
    ['a text shorter than a header', (path) => writeFileSync(path, 'Dear reader'), /not a SQLite database/],
    ['the database of another program', makeForeign, /database of another program/],
  ];

  test.each(cases)('%s is refused and left as it is', (_what, make, reason) =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      make(path);
      const before = readFileSync(path);
      const { code, message, next } = await refusalOf(openQueue({ path }).add('letter', {}));
      expect(code).toBe('BROKER_UNSUITABLE');
      expect(message).toMatch(reason);
      expect(message).toContain(path);
      expect(next).toMatch(/name another file/);
      expect(readFileSync(path).equals(before)).toBe(true);
      expect(await readdir(folder)).toEqual(['jobs.db']);
    }),
  );

  test('is said once it is needed, and the queue works when it is out of the way', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      writeFileSync(path, 'Dear reader,\n'.repeat(400));
      const queue = openQueue({ path });
      expect(await refusalOf(queue.getWaitingCount())).toMatchObject({ code: 'BROKER_UNSUITABLE' });
      rmSync(path);
      await queue.add('letter', {}, { jobId: 'first' });
      expect(await queue.getJobState('first')).toBe('waiting');
    }));

  test(
    'does not keep a worker from hearing other events, and it starts once the file is out of the way',
    {
      timeout: 10_000,
    },
    () =>
      withTempDir(async (folder) => {
        const path = join(folder, 'jobs.db');
        writeFileSync(path, 'Dear reader,\n'.repeat(400));
        const worker = startLastingWorker(path);
        expect(await worker.said('error')).toBe('error BROKER_UNSUITABLE');
        await worker.said('turn');
        rmSync(path);
        await leaveJob(path);
        expect(await worker.said('ran')).toBe('ran kept');
      }),
  );
});

describe('a database of a newer tq', () => {
  const setVersion = (path: string, version: number): void => {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
  };

  test('is refused with both versions, and its jobs stay', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      await leaveJob(path);
      setVersion(path, LATEST_VERSION + 1);
      const queue = openQueue({ path });
      const { code, message, next } = await refusalOf(queue.add('letter', {}));
      expect(code).toBe('BROKER_UNSUITABLE');
      expect(message).toContain(`its tables have version ${LATEST_VERSION + 1}, this tq knows up to ${LATEST_VERSION}`);
      expect(next).toMatch(/upgrade tq/);
      setVersion(path, LATEST_VERSION);
      expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(['kept']);
    }));

  test('does not end a worker: it runs the jobs once it can read them', { timeout: 10_000 }, () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      await leaveJob(path);
      setVersion(path, LATEST_VERSION + 1);
      const worker = startLastingWorker(path);
      expect(await worker.said('error')).toBe('error BROKER_UNSUITABLE');
      await worker.said('turn');
      setVersion(path, LATEST_VERSION);
      expect(await worker.said('ran')).toBe('ran kept');
    }),
  );
});

describe('a place that cannot be written', () => {
  const NOBODY = 65_534;
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? String(NOBODY) : '';

  const refuse = async (path: string): Promise<string> => {
    const started = startProcess(REFUSED, [path, user]);
    ending.push(() => started.kill());
    return started.said('refused');
  };
  /** Modes bind root's files only for others: the folder above must let them pass. */
  const open = (folder: string): string => {
    chmodSync(folder, 0o755);
    const inner = join(folder, 'data');
    mkdirSync(inner);
    return inner;
  };

  test('is refused: a read-only folder without the file', () =>
    withTempDir(async (folder) => {
      const data = open(folder);
      chmodSync(data, 0o555);
      expect(await refuse(join(data, 'jobs.db'))).toMatch(/^refused BROKER_UNSUITABLE .*cannot be written here/);
      expect(await readdir(data)).toEqual([]);
    }));

  test('is refused: a read-only file in a read-only folder, and its jobs stay', () =>
    withTempDir(async (folder) => {
      const data = open(folder);
      const path = join(data, 'jobs.db');
      await leaveJob(path);
      chmodSync(path, 0o444);
      chmodSync(data, 0o555);
      expect(await refuse(path)).toMatch(/^refused BROKER_UNSUITABLE .*cannot be written here/);
      expect([...readStates(path).keys()]).toEqual(['kept']);
      chmodSync(data, 0o755);
    }));

  test('is refused: a file that may be written in a folder that takes no side files', () =>
    withTempDir(async (folder) => {
      const data = open(folder);
      const path = join(data, 'jobs.db');
      await leaveJob(path);
      chmodSync(path, 0o666);
      chmodSync(data, 0o555);
      expect(await refuse(path)).toMatch(/^refused BROKER_UNSUITABLE .*cannot be written here/);
      chmodSync(data, 0o755);
      expect([...readStates(path).keys()]).toEqual(['kept']);
    }));

  test('does not end a worker: it runs the jobs once it may', { timeout: 10_000 }, () =>
    withTempDir(async (folder) => {
      const data = open(folder);
      const path = join(data, 'jobs.db');
      await leaveJob(path);
      chmodSync(path, 0o444);
      chmodSync(data, 0o555);
      const worker = startLastingWorker(path, user);
      expect(await worker.said('error')).toBe('error BROKER_UNSUITABLE');
      await worker.said('turn');
      if (isRoot) for (const entry of [path, data]) chownSync(entry, NOBODY, NOBODY);
      chmodSync(data, 0o755);
      chmodSync(path, 0o644);
      expect(await worker.said('ran')).toBe('ran kept');
    }),
  );

  test.each([
    ['a folder', (folder: string) => folder],
    [
      'a path through a file',
      (folder: string) => {
        writeFileSync(join(folder, 'file'), '');
        return join(folder, 'file', 'jobs.db');
      },
    ],
  ])('is refused: %s', (_what, pathIn) =>
    withTempDir(async (folder) => {
      expect(await refusalOf(openQueue({ path: pathIn(folder) }).add('letter', {}))).toMatchObject({
        code: 'BROKER_UNSUITABLE',
        next: expect.any(String),
      });
    }),
  );
});

/** Fills a disk, and frees it again. */
interface Disk {
  readonly path: string;
  fill(): void;
  free(): void;
}

/** SQLite's own limit of pages: a disk for a test that may not mount one. */
function limitPages(path: string): Disk {
  const held = holdDatabase({ path, synchronous: 'normal', busyTimeoutMs: 5000, clock: systemClock });
  ending.push(() => held.release());
  const { connection } = held.database;
  return {
    path,
    fill: () => connection.execute(`PRAGMA max_page_count = ${connection.get('PRAGMA page_count')?.[0]}`),
    free: () => connection.execute('PRAGMA max_page_count = 1000000'),
  };
}

/** A disk of 2 MiB. @returns undefined where this process may not mount one */
function mountDisk(folder: string): Disk | undefined {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  ending.push(() => execFileSync('umount', ['-l', disk]));
  const ballast = join(disk, 'ballast');
  return {
    path: join(disk, 'jobs.db'),
    fill() {
      for (let size = 1 << 20; size >= 512; size /= 2) {
        try {
          for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a' });
        } catch {
          // It takes less than that.
        }
      }
    },
    free: () => rmSync(ballast),
  };
}

describe.each([
  { name: 'by its limit of pages', open: (folder: string) => limitPages(join(folder, 'jobs.db')) },
  { name: 'a tmpfs', open: mountDisk },
])('a full disk, $name,', ({ open }) => {
  const onDisk = (use: (disk: Disk) => Promise<void>, skip: (note: string) => never): Promise<void> =>
    withTempDir(async (folder) => {
      const disk = open(folder);
      if (disk === undefined) return skip('needs the right to mount a tmpfs, as root has it');
      try {
        await use(disk);
      } finally {
        for (const end of ending.splice(0).reverse()) await end();
      }
    });
  /** Adds jobs until one is refused. */
  const addUntilFull = async (queue: Queue): Promise<{ acknowledged: string[]; error: unknown }> => {
    const acknowledged: string[] = [];
    for (;;) {
      const jobId = `job-${acknowledged.length}`;
      try {
        await queue.add('letter', 'x'.repeat(3000), { jobId });
      } catch (error) {
        return { acknowledged, error };
      }
      acknowledged.push(jobId);
    }
  };

  test('refuses a job with DATABASE_FULL, keeps those it acknowledged, and takes jobs again once freed', ({ skip }) =>
    onDisk(async (disk) => {
      const queue = openQueue({ path: disk.path });
      await queue.add('letter', {}, { jobId: 'before' });
      disk.fill();
      const { acknowledged, error } = await addUntilFull(queue);
      expect(error).toMatchObject({ code: 'DATABASE_FULL', message: expect.stringContaining(disk.path) });
      const waiting = async () => (await queue.getWaiting(0, -1)).map(({ id }) => id);
      expect(await waiting()).toEqual(['before', ...acknowledged]);
      expect(await refusalOf(queue.add('letter', 'x'.repeat(3000)))).toMatchObject({ code: 'DATABASE_FULL' });
      disk.free();
      await queue.add('letter', 'x'.repeat(3000), { jobId: 'after' });
      expect(await waiting()).toEqual(['before', ...acknowledged, 'after']);
      await queue.close();
      expect(auditDatabase(disk.path)).toEqual([]);
    }, skip));

  test('keeps what it acknowledged when everybody closes the file while it is full', ({ skip }) =>
    onDisk(async (disk) => {
      const queue = openQueue({ path: disk.path });
      await queue.waitUntilReady();
      disk.fill();
      const { acknowledged } = await addUntilFull(queue);
      await queue.close();
      disk.free();
      const again = openQueue({ path: disk.path });
      expect((await again.getWaiting(0, -1)).map(({ id }) => id)).toEqual(acknowledged);
      await again.add('letter', {});
    }, skip));

  test('holds up a worker, which stores its results and goes on once it is freed', ({ skip }) =>
    onDisk(async (disk) => {
      const workshop = await openTqWorkshop(`sqlite:${disk.path}`);
      const queue = workshop.broker.queue('mail');
      const jobs = Array.from({ length: 20 }, () => newJob());
      await queue.addBulk(jobs);
      const gate = workshop.gate();
      const runs: string[] = [];
      const worker = await workshop.consume('mail', {
        concurrency: 5,
        async perform({ id }) {
          runs.push(id);
          await gate.promise;
          return { kind: 'succeeded', result: 'x'.repeat(10_000) };
        },
      });
      await worker.taken.take(5);
      disk.fill();
      gate.resolve();
      expect(await worker.troubles.next()).toMatchObject({ code: 'DATABASE_FULL' });
      const adding = workshop.plainQueue('other').add('letter', 'x'.repeat(10_000));
      expect(await refusalOf(adding)).toMatchObject({ code: 'DATABASE_FULL' });
      disk.free();
      await worker.recoveries.next();
      await waitFor('every job to be finished', async () => (await queue.counts()).completed === jobs.length);
      expect(runs.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    }, skip));
});

describe('a database that another process has locked', () => {
  /** Takes the file's write lock, as a shell with an open transaction does. */
  const lock = (path: string): (() => void) => {
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    const release = (): void => {
      if (holder.isTransaction) holder.exec('ROLLBACK');
    };
    ending.push(() => {
      release();
      holder.close();
    });
    return release;
  };
  /** Counts how often the event loop goes round until the work ends. */
  const turnsDuring = async (work: Promise<unknown>): Promise<number> => {
    let turns = 0;
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    work.then(over, over);
    for (; !isOver; turns += 1) await turn();
    return turns;
  };

  test('for longer than the timeout refuses with DATABASE_LOCKED, while the event loop goes on', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path, busyTimeoutMs: 150 });
      await queue.add('letter', {}, { jobId: 'before' });
      const release = lock(path);
      const adding = queue.add('letter', {}, { jobId: 'refused' });
      const refusal = refusalOf(adding);
      expect(await turnsDuring(adding)).toBeGreaterThan(20);
      expect(await refusal).toMatchObject({ code: 'DATABASE_LOCKED', message: expect.stringContaining(path) });
      release();
      await queue.add('letter', {}, { jobId: 'after' });
      expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(['before', 'after']);
    }));

  test('for less than the timeout makes an operation wait, and that is all', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path, busyTimeoutMs: 30_000 });
      await queue.waitUntilReady();
      const release = lock(path);
      let isAdded = false;
      const adding = Promise.all(['a', 'b'].map((jobId) => queue.add('letter', {}, { jobId }))).then(() => {
        isAdded = true;
      });
      for (let round = 0; round < 30; round += 1) await pause(1);
      expect(isAdded).toBe(false);
      release();
      await adding;
      expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(['a', 'b']);
    }));

  test('makes each operation wait for its own timeout, not for that of an earlier one', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path, busyTimeoutMs: 400 });
      await queue.waitUntilReady();
      const release = lock(path);
      const early = refusalOf(queue.add('letter', {}, { jobId: 'early' }));
      await pause(200);
      const late = queue.add('letter', {}, { jobId: 'late' });
      const lateEnd = refusalOf(late);
      expect(await early).toMatchObject({ code: 'DATABASE_LOCKED' });
      release();
      expect(await lateEnd).toEqual({ message: 'it was not refused' });
      expect((await queue.getWaiting()).map(({ id }) => id)).toEqual(['late']);
    }));

  test('is read meanwhile, also by those whose writes wait', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path, busyTimeoutMs: 500 });
      await queue.add('letter', {});
      const release = lock(path);
      expect(await queue.getWaitingCount()).toBe(1);
      let isAdded = false;
      const adding = queue.add('letter', {}).then(
        () => {
          isAdded = true;
        },
        () => undefined,
      );
      const counting = queue.getWaitingCount();
      expect(await Promise.race([counting.catch(({ code }) => code), adding])).toBe(1);
      expect(isAdded).toBe(false);
      release();
      await adding;
    }));

  test('is opened and read, and the event loop goes on', { timeout: 60_000 }, () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      await leaveJob(path);
      lock(path);
      const counting = openQueue({ path, busyTimeoutMs: 150 }).getWaitingCount();
      expect(await counting).toBe(1);
    }),
  );

  test('holds up a worker, which stores the result of the job that it ran once it is let go', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const workshop = await openTqWorkshop(`sqlite:${path}?busyTimeout=100ms`);
      const queue = workshop.broker.queue('mail');
      const jobs = [newJob(), newJob()];
      await queue.addBulk(jobs);
      const gate = workshop.gate();
      const worker = await workshop.consume('mail', { perform: () => gate.promise.then(() => SUCCEEDED) });
      await worker.taken.next();
      const release = lock(path);
      gate.resolve();
      expect(await worker.troubles.next()).toMatchObject({ code: 'DATABASE_LOCKED' });
      release();
      await worker.recoveries.next();
      await waitFor('both jobs to be finished', async () => (await queue.counts()).completed === 2);
      expect(worker.taken.all.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
    }));

  test('does not end a plain worker that was started meanwhile', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path, busyTimeoutMs: 100 });
      await queue.waitUntilReady();
      const release = lock(path);
      const options = { connection: { path }, runRetryDelay: 50, drainDelay: 1 } as never;
      const worker = new Worker('mail', async () => 'sent', options, createSqliteBackend as never);
      ending.push(() => worker.close());
      const errors = createChannel<Error>();
      const completed = createChannel<string>();
      worker.on('error', errors.push);
      worker.on('completed', ({ id }) => completed.push(id ?? ''));
      expect(await errors.next()).toMatchObject({ code: 'DATABASE_LOCKED' });
      release();
      await queue.add('letter', {}, { jobId: 'after' });
      expect(await completed.next()).toBe('after');
    }));

  test('does not end a reader of events that was started meanwhile', { timeout: 10_000 }, () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path, busyTimeoutMs: 100 });
      await queue.waitUntilReady();
      const release = lock(path);
      const events = new QueueEvents('mail', { connection: { path } } as never, createSqliteBackend as never);
      ending.push(() => events.close());
      events.on('error', () => undefined);
      const refusal = refusalOf(queue.add('letter', {}, { jobId: 'refused' }));
      expect(await refusal).toMatchObject({ code: 'DATABASE_LOCKED' });
      release();
      const added = createChannel<string>();
      events.on('added', ({ jobId }) => added.push(jobId));
      // The reader may begin a moment later: it hears of one of these.
      const adding = setInterval(() => queue.add('letter', {}).catch(() => undefined), 50);
      ending.push(() => clearInterval(adding));
      expect(await added.next()).toMatch(/^\d+$/);
    }),
  );
});
