import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DatabaseHold, holdDatabase } from '../../../../src/engine/broker/sqlite/database.ts';
import type { Operation } from '../../../../src/engine/broker/sqlite/group-commit.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { createSqliteBackend } from '../../../../src/sqlite.ts';
import { createFolderOfRun } from '../../../support/run-folder.ts';
import { auditDatabase } from './processes/audit.ts';

/** One database, a queue on it, and an onlooker that has a connection of its own. */
interface Bench {
  readonly path: string;
  readonly held: DatabaseHold;
  readonly queue: Queue;
  /** The first column of what another connection finds. */
  look(sql: string): unknown[];
}

let bench: Bench;
beforeEach(async () => {
  const path = join(createFolderOfRun('group'), 'jobs.db');
  const held = holdDatabase({ path, synchronous: 'normal', busyTimeoutMs: 5000, clock: systemClock });
  const queue = new Queue('mail', { connection: { path } as never }, createSqliteBackend as never) as Queue;
  await queue.waitUntilReady();
  const onlooker = new DatabaseSync(path);
  ending.push(
    () => onlooker.close(),
    () => held.release(),
    () => queue.close(),
  );
  const look = (sql: string): unknown[] =>
    onlooker
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0]);
  bench = { path, held, queue, look };
});

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const add = (jobId: string): Promise<unknown> => bench.queue.add('letter', {}, { jobId });
/** One chunk of events is stored with each transaction. */
const chunks = (): unknown[] => bench.look('SELECT count FROM event ORDER BY at, seq');
const jobs = (): unknown[] => bench.look('SELECT id FROM job ORDER BY seq');
const outcomes = async (work: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(work)).map((end) => (end.status === 'fulfilled' ? end.value : end.reason.message));

/** An operation that writes a job's row by hand and then goes wrong. */
const failing: Operation<never> = ({ connection }) => {
  connection.run(`INSERT INTO job (queue_id, id, state, rank, timestamp, delay, priority, name, opts, data)
    VALUES (99, 'half', 1, 1, 0, 0, 0, 'letter', '{}', '{}')`);
  throw new Error('it broke in the middle');
};

describe('operations of one turn of the event loop', () => {
  test('share a transaction, whichever queue they are of', async () => {
    const other = new Queue('parcels', { connection: { path: bench.path } as never }, createSqliteBackend as never);
    ending.push(() => other.close());
    await other.waitUntilReady();
    const before = bench.look('PRAGMA data_version')[0] as number;
    await Promise.all([...['a', 'b', 'c'].map(add), other.add('parcel', {}, { jobId: 'd' })]);
    expect(bench.look('PRAGMA data_version')).toEqual([before + 1]);
    expect(chunks()).toEqual([6, 2]);
    expect(jobs()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('of another turn have a transaction of their own', async () => {
    await add('a');
    await add('b');
    expect(chunks()).toEqual([2, 2]);
  });

  test('are carried out in the order in which they were asked for, and see what those before them did', async () => {
    const answers = await Promise.all([
      bench.queue.getWaitingCount(),
      add('a').then(() => 'added'),
      bench.queue.getWaitingCount(),
      bench.queue.remove('a'),
      bench.queue.getWaitingCount(),
    ]);
    expect(answers).toEqual([0, 'added', 1, 1, 0]);
    expect(chunks()).toEqual([3]);
  });

  test('are in the file, for all to see, when they are acknowledged', async () => {
    const seen = await Promise.all(['a', 'b', 'c'].map((id) => add(id).then(jobs)));
    expect(seen).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  test('get their own answers and their own refusals, and a refusal undoes nothing of its neighbours', async () => {
    const backend = bench.queue.getBackend();
    expect(
      await outcomes([
        add('a').then(() => 'added'),
        backend.promote('a'),
        add('b').then(() => 'added'),
        backend.retryJob('nobody', false, 'token'),
        backend.updateProgress('b', 50),
      ]),
    ).toEqual([
      'added',
      'Job a is not in the delayed state. promote',
      'added',
      'Missing key for job nobody. retryJob',
      undefined,
    ]);
    expect(jobs()).toEqual(['a', 'b']);
    expect(bench.look('SELECT progress FROM job')).toEqual([null, '50']);
    // Added and waiting, twice, and the progress: one transaction.
    expect(chunks()).toEqual([5]);
  });

  test('of which one fails in the middle are all stored but for that one', async () => {
    expect(
      await outcomes([
        add('a').then(() => 'added'),
        bench.held.database.write(failing),
        add('b').then(() => 'added'),
        bench.held.database.read(() => {
          throw new TypeError('it cannot be read');
        }),
        bench.queue.getWaitingCount(),
      ]),
    ).toEqual(['added', 'it broke in the middle', 'added', 'it cannot be read', 2]);
    expect(jobs()).toEqual(['a', 'b']);
    expect(bench.look('SELECT wait FROM queue')).toEqual([2]);
    expect(chunks()).toEqual([2, 2]);
    await bench.queue.close();
    expect(auditDatabase(bench.path)).toEqual([]);
  });

  test('that cannot be committed are all refused, and nothing of them is stored', async () => {
    await add('before');
    const { connection } = bench.held.database;
    connection.execute(`PRAGMA max_page_count = ${connection.get('PRAGMA page_count')?.[0]}`);
    const big = ['a', 'b'].map((jobId) => bench.queue.add('letter', 'x'.repeat(100_000), { jobId }));
    expect(await outcomes(big)).toEqual([
      expect.stringMatching(/the disk is full/),
      expect.stringMatching(/the disk is full/),
    ]);
    expect(jobs()).toEqual(['before']);
    expect(await bench.queue.getWaitingCount()).toBe(1);
    connection.execute('PRAGMA max_page_count = 1000000');
    await add('after');
    expect(jobs()).toEqual(['before', 'after']);
    expect(bench.look('SELECT wait FROM queue')).toEqual([2]);
  });

  test('that come as a flood are all carried out, in more than one transaction', async () => {
    const ids = Array.from({ length: 2500 }, (_, index) => `job-${index}`);
    await Promise.all(ids.map(add));
    expect(jobs()).toEqual(ids);
    expect((chunks() as number[]).length).toBeGreaterThan(1);
    expect(bench.look('SELECT wait FROM queue')).toEqual([2500]);
  });

  test('tell when another process has written between them', async () => {
    const { database } = bench.held;
    const other = new DatabaseSync(bench.path);
    ending.push(() => other.close());
    await add('a');
    await add('b');
    expect(database.othersWroteAt).toBe(Number.NEGATIVE_INFINITY);
    other.exec("UPDATE job SET name = 'parcel' WHERE id = 'a'");
    const before = systemClock.monotonic();
    await add('c');
    expect(database.othersWroteAt).toBeGreaterThanOrEqual(before);
  });

  test('do not hold the write lock for a read that takes long', async () => {
    const { database } = bench.held;
    const other = new DatabaseSync(bench.path);
    ending.push(() => other.close());
    const found: unknown[] = [];
    const long = database.readAlone(({ connection }) => {
      found.push(connection.get('SELECT count(*) FROM job')?.[0]);
      other.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK');
      return 'read';
    });
    await Promise.all([add('a'), long]);
    expect(await long).toBe('read');
    expect(jobs()).toEqual(['a']);
    expect(found).toHaveLength(1);
  });

  test('of which one is a read that fails alone are told apart', async () => {
    const { database } = bench.held;
    const failed = database.readAlone(() => {
      throw new Error('it broke in the middle');
    });
    const [added] = await Promise.all([add('a'), expect(failed).rejects.toThrow('it broke in the middle')]);
    expect(added).toMatchObject({ id: 'a' });
  });

  test('see what another process has written since the turn before', async () => {
    await add('a');
    const other = new DatabaseSync(bench.path);
    other.exec("DELETE FROM job WHERE id = 'a'; UPDATE queue SET wait = 0");
    other.close();
    expect(await Promise.all([bench.queue.getWaitingCount(), bench.queue.getJobState('a')])).toEqual([0, 'unknown']);
    await add('b');
    expect(bench.look('SELECT wait FROM queue')).toEqual([1]);
  });
});
