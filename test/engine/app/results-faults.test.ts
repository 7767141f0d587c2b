import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { openResultStore } from '../../../src/engine/broker/result-store/open-result-store.ts';
import { createSqliteResults } from '../../../src/engine/broker/result-store/sqlite-results.ts';
import { openResultsFile } from '../../../src/engine/broker/result-store/sqlite-results-file.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { createSqliteUrl, testServers } from '../../support/brokers.ts';
import { findFreePort } from '../../support/free-port.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { type PostgresServer, query, startPostgres } from '../../support/postgres-server.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createRow, openMigrated, resultStoresUnderTest } from '../broker/result-store/result-stores.ts';
import { recordLog } from '../worker/recorded.ts';
import { createLiveBench, type LiveBench } from './live-app.ts';

function createTextFile(): string {
  const path = join(createFolderOfRun('results'), 'plain.text');
  writeFileSync(path, 'plain text, and quite a lot of it'.repeat(100));
  return `sqlite:${path}`;
}

const WAITS = /jobs wait until their results are stored$/;
const AGAIN = 'the result store answers again';
let bench: LiveBench;
beforeEach(() => {
  bench = createLiveBench(createSqliteUrl());
});
afterEach(() => bench.close());

describe.skipIf(!testServers().canStartPostgres)('results in a PostgreSQL server', () => {
  let server: PostgresServer;
  let url: string;
  let log: ReturnType<typeof recordLog>;
  let app: App;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    ({ url } = await createPostgresDatabase(server.url));
    await (await openMigrated(url)).close();
    log = recordLog();
    app = bench.createApp({ results: url });
  });

  const said = (text: string | RegExp): number =>
    log.messages.filter((message) => (typeof text === 'string' ? message === text : text.test(message))).length;

  test('that goes away under load and comes back loses no result and no job', { timeout: 60_000 }, async () => {
    let runs = 0;
    const count = app.task('count', (value: number) => {
      runs += 1;
      return value;
    });
    await bench.startWorker(app, { concurrency: 20, logger: log.logger });
    const calls = await count.bulk(Array.from({ length: 2000 }, (_, index) => [index] as [number]));
    await waitFor('some to be stored', () => runs > 200);
    await server.stop();
    await waitFor('the log to say so', () => said(WAITS) === 1);
    const before = runs;
    // The worker holds what it has, and takes no more.
    expect(before).toBeLessThan(2000);
    await server.restart();
    const values = await Promise.all(calls.map((call) => call.get({ timeout: '40s' })));
    expect(values).toEqual(calls.map((_, index) => index));
    await waitFor('the log to say so', () => said(AGAIN) === 1);
    expect(said(WAITS)).toBe(1);
    const { rows } = await query(url, 'SELECT id, result::text AS result, attempts FROM tq.results');
    expect(new Map(rows.map(({ id, result }) => [id, Number(result)]))).toEqual(
      new Map(calls.map(({ id }, index) => [id, index])),
    );
    // None ran twice: their locks were kept while they waited.
    expect(runs).toBe(2000);
  });

  test('that is slow holds the jobs, and no acknowledged job is without its row', { timeout: 60_000 }, async () => {
    const echo = app.task('echo', (value: number) => value);
    await bench.startWorker(app, { concurrency: 4, logger: log.logger });
    const lock = new pg.Client({ connectionString: url });
    await lock.connect();
    await lock.query('BEGIN; LOCK TABLE tq.results IN ACCESS EXCLUSIVE MODE');
    const calls = await echo.bulk([[1], [2], [3], [4], [5], [6]]);
    const waiting = "SELECT count(*) AS writes FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    await waitFor('a write to wait', async () => Number((await query(url, waiting)).rows[0].writes) > 0);
    expect(await Promise.all(calls.map((call) => call.state()))).not.toContain('SUCCESS');
    await lock.query('COMMIT');
    await lock.end();
    expect(await Promise.all(calls.map((call) => call.get({ timeout: '30s' })))).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await query(url, 'SELECT FROM tq.results')).rowCount).toBe(6);
    expect(said(WAITS)).toBe(0);
  });

  test('that is away when the worker stops: its jobs go back and run again', { timeout: 60_000 }, async () => {
    const echo = app.task('echo', (value: number) => value);
    const worker = await bench.startWorker(app, { concurrency: 4, logger: log.logger });
    await server.stop();
    const calls = await echo.bulk([[1], [2]]);
    await waitFor('the log to say so', () => said(WAITS) === 1);
    expect(await worker.stopNow()).toMatchObject({ handedBack: 2, reason: 'cold' });
    expect(await Promise.all(calls.map((call) => call.state()))).toEqual(['PENDING', 'PENDING']);
    await server.restart();
    await bench.startWorker(app);
    expect(await Promise.all(calls.map((call) => call.get({ timeout: '30s' })))).toEqual([1, 2]);
    expect((await query(url, 'SELECT FROM tq.results')).rowCount).toBe(2);
  });

  test('whose table is gone is waited for, until `tq migrate` makes it', { timeout: 60_000 }, async () => {
    const echo = app.task('echo', (value: number) => value);
    await bench.startWorker(app, { logger: log.logger });
    await query(url, 'DROP SCHEMA tq CASCADE');
    const call = await echo.delay(1);
    await waitFor('the log to say so', () => said(/is not there|does not exist|jobs wait/) === 1);
    await (await openMigrated(url)).close();
    expect(await call.get({ timeout: '30s' })).toBe(1);
    expect((await query(url, 'SELECT FROM tq.results')).rowCount).toBe(1);
  });
});

describe('a result store that is away at the start', () => {
  test('keeps a worker from starting, and the message masks the password', async () => {
    const url = `postgres://tq:hunter2@127.0.0.1:${await findFreePort()}/jobs`;
    const failure = await bench
      .createApp({ results: url })
      .createWorker()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'RESULTS_UNAVAILABLE', next: expect.stringContaining('is it running') });
    expect(String(failure)).toContain('postgres://tq:***@127.0.0.1');
    expect(String(failure)).not.toContain('hunter2');
  });

  test('does not keep calls from being sent, nor their results from being read in the broker', async () => {
    const app = bench.createApp({ results: `postgres://127.0.0.1:${await findFreePort()}/jobs` });
    const plain = bench.createApp();
    plain.task('echo', (value: number) => value);
    await bench.startWorker(plain);
    const call = await app.send('echo', [7]);
    expect(await call.get({ timeout: '20s' })).toBe(7);
    await expect(app.result('nope').get()).rejects.toMatchObject({ code: 'RESULTS_UNAVAILABLE' });
  });
});

describe.each(resultStoresUnderTest())('the tables of results in $name', ({ name, createUrl }) => {
  const setVersion = async (url: string, version: number): Promise<void> => {
    if (name === 'postgres') {
      await query(url, `DELETE FROM tq.results_migration WHERE version > ${version}`);
      await query(url, `INSERT INTO tq.results_migration VALUES (${version}) ON CONFLICT DO NOTHING`);
      if (version < 2) for (const index of await listIndexes(url)) await query(url, `DROP INDEX tq.${index}`);
    } else {
      const database = new DatabaseSync(url.slice('sqlite:'.length));
      const indexes = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all();
      if (version < 2) for (const row of indexes) database.exec(`DROP INDEX ${String(row.name)}`);
      database.exec(`PRAGMA user_version = ${version}`);
      database.close();
    }
  };
  const listIndexes = async (url: string): Promise<string[]> => {
    const { rows } = await query(url, "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'results_by%'");
    return rows.map(({ indexname }) => String(indexname));
  };

  test('that a newer tq made keep a worker from starting', async () => {
    const url = await createUrl();
    await (await openMigrated(url)).close();
    await setVersion(url, 99);
    await expect(bench.createApp({ results: url }).createWorker()).rejects.toMatchObject({
      code: 'RESULTS_UNSUITABLE',
      message: expect.stringContaining('version 99, this tq knows up to 2'),
      next: 'upgrade tq on this machine',
    });
    const store = await openResultStore(url, { clock: systemClock, skipSchema: true });
    await expect(store.migrate()).rejects.toMatchObject({ code: 'RESULTS_UNSUITABLE' });
    await store.close();
  });

  test('that are old are upgraded, by tq migrate in PostgreSQL and by opening the file in SQLite', async () => {
    const url = await createUrl();
    await (await openMigrated(url)).close();
    await setVersion(url, 1);
    if (name === 'postgres') {
      await expect(bench.createApp({ results: url }).createWorker()).rejects.toMatchObject({
        code: 'RESULTS_UNSUITABLE',
        message: expect.stringContaining('version 1, this tq needs 2'),
      });
    }
    const store = await openResultStore(url, { clock: systemClock, skipSchema: true });
    expect(await store.migrate()).toEqual({ from: 1, to: 2 });
    await store.close();
    const app = bench.createApp({ results: url });
    app.task('echo', () => 1);
    await bench.startWorker(app);
    await (await app.send('echo')).get({ timeout: '20s' });
    expect(
      await (await app.resultStore())?.listPage({ sort: { column: 'finishedAt', descending: true }, limit: 5 }),
    ).toHaveLength(1);
  });

  test('are asked for when they are not there', async () => {
    const url = await createUrl();
    const opening = openResultStore(url, { clock: systemClock });
    if (name === 'sqlite') await (await opening).close();
    else {
      await expect(opening).rejects.toMatchObject({
        code: 'RESULTS_UNSUITABLE',
        message: expect.stringContaining('it has no table of results yet'),
        next: expect.stringContaining('tq migrate'),
      });
    }
  });

  test('are made once by many at the same time', async () => {
    const url = await createUrl();
    const stores = await Promise.all(
      Array.from({ length: 4 }, () => openResultStore(url, { clock: systemClock, skipSchema: true })),
    );
    const made = await Promise.all(stores.map((store) => store.migrate()));
    expect(made.filter(({ from }) => from === null)).toHaveLength(1);
    await Promise.all(stores.map((store) => store.close()));
  });
});

describe('results in a SQLite file', () => {
  test('that is full make jobs wait until there is space', { timeout: 30_000 }, async () => {
    let database: DatabaseSync | undefined;
    const path = join(createFolderOfRun('results'), 'full.db');
    const { store } = createSqliteResults({ kind: 'sqlite', path, synchronous: 'normal' }, systemClock, (...given) => {
      const opened = openResultsFile(...given);
      database = opened.database;
      return opened;
    });
    await store.write([createRow()]);
    const { page_count: pages } = database?.prepare('PRAGMA page_count').get() ?? {};
    database?.exec(`PRAGMA max_page_count = ${Number(pages)}`);
    const log = recordLog();
    const app = bench.createApp();
    // The app opens its own; this worker is given the one that is full.
    app.resultStore = async () => store;
    const echo = app.task('echo', (value: string) => value);
    await bench.startWorker(app, { logger: log.logger });
    const large = 'x'.repeat(50_000);
    const call = await echo.delay(large);
    await waitFor('the log to say so', () => log.messages.some((message) => WAITS.test(message)));
    expect(log.messages.join()).toContain('database or disk is full');
    expect(await call.state()).toBe('STARTED');
    database?.exec('PRAGMA max_page_count = 1000000');
    expect(await call.get({ timeout: '20s' })).toBe(large);
    expect(await store.read(call.id)).toMatchObject([{ result: large }]);
    await store.close();
  });

  test('that another process has locked wait for it, and say so when it lasts', { timeout: 30_000 }, async () => {
    const url = `sqlite:${join(createFolderOfRun('results'), 'locked.db')}`;
    const store = await openMigrated(url);
    const other = new DatabaseSync(url.slice('sqlite:'.length));
    other.exec('BEGIN IMMEDIATE');
    const written = store.write([createRow()]);
    await wait(1);
    other.exec('COMMIT');
    await written;
    expect(await store.read('job-1')).toHaveLength(1);
    let passed = 0;
    const hasty = await openResultStore(url, { clock: { now: systemClock.now, monotonic: () => (passed += 3000) } });
    other.exec('BEGIN IMMEDIATE');
    await expect(hasty.write([createRow({ id: 'b' })])).rejects.toMatchObject({
      code: 'RESULTS_UNAVAILABLE',
      message: expect.stringContaining('another process has held its lock'),
    });
    other.close();
    await Promise.all([store.close(), hasty.close()]);
  });

  test.each([
    ['the database of a broker', () => createSqliteUrl()],
    ['no database at all', createTextFile],
  ])('that is %s are refused', async (_, createUrl) => {
    const url = createUrl();
    await bench.createApp({ broker: url.replace(/text$/, 'db') }).broker();
    const app = bench.createApp({ results: url });
    const failure = await app.createWorker().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'RESULTS_UNSUITABLE' });
  });
});
