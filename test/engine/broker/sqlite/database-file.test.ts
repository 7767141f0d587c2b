import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Queue } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type DatabaseHold,
  type DatabaseOptions,
  holdDatabase,
} from '../../../../src/engine/broker/sqlite/database.ts';
import { readFileVersion } from '../../../../src/engine/broker/sqlite/database-file.ts';
import { APPLICATION_ID, LATEST_VERSION } from '../../../../src/engine/broker/sqlite/schema.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { createSqliteBackend, type SqliteConnection } from '../../../../src/sqlite.ts';
import { withTempDir } from '../../../support/temp-dir.ts';
import { auditDatabase, readStates } from './processes/audit.ts';
import { startProcess } from './processes/started-process.ts';

const OPENING = new URL('./processes/opening-process.ts', import.meta.url);
const VISITOR = new URL('./processes/visitor-process.ts', import.meta.url);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function openQueue(connection: SqliteConnection, name = 'mail'): Queue {
  const queue = new Queue(name, { connection: connection as never }, createSqliteBackend as never) as Queue;
  closing.push(() => queue.close());
  return queue;
}

function hold(path: string, options: Partial<DatabaseOptions> = {}): DatabaseHold {
  const held = holdDatabase({ path, synchronous: 'normal', busyTimeoutMs: 5000, clock: systemClock, ...options });
  closing.push(() => held.release());
  return held;
}

const pragma = ({ database }: DatabaseHold, name: string): unknown => database.connection.get(`PRAGMA ${name}`)?.[0];
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** What another process finds in the file once it opens and closes it. */
async function visit(path: string): Promise<unknown> {
  const visitor = startProcess(VISITOR, [path]);
  const ids = await visitor.message;
  await visitor.ended;
  return ids ?? visitor.complaints;
}

describe('a database file', () => {
  let umask: number;
  beforeEach(() => {
    umask = process.umask(0o022);
  });
  afterEach(() => {
    process.umask(umask);
  });

  test('is readable by its owner alone, with its side files and the folders made for it', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'made', 'below', 'jobs.db');
      const queue = openQueue({ path });
      await queue.add('one', {});
      const files = await readdir(join(folder, 'made', 'below'));
      expect(files.toSorted()).toEqual(['jobs.db', 'jobs.db-shm', 'jobs.db-wal']);
      for (const file of files) expect([file, modeOf(join(folder, 'made', 'below', file))]).toEqual([file, '600']);
      expect(modeOf(join(folder, 'made'))).toBe('700');
      expect(modeOf(join(folder, 'made', 'below'))).toBe('700');
    }));

  test('keeps the mode that its owner gave it, and so does its folder', () =>
    withTempDir(async (folder) => {
      const shared = join(folder, 'shared');
      mkdirSync(shared);
      chmodSync(shared, 0o770);
      const path = join(shared, 'jobs.db');
      const queue = openQueue({ path });
      await queue.add('one', {});
      await queue.close();
      chmodSync(path, 0o660);
      const again = openQueue({ path });
      await again.add('two', {});
      expect([modeOf(shared), modeOf(path), modeOf(`${path}-wal`)]).toEqual(['770', '660', '660']);
    }));

  test('is marked as ours, writes ahead, and gives back the pages that it does not need', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path });
      await queue.waitUntilReady();
      const other = new DatabaseSync(path);
      closing.push(async () => other.close());
      const read = (name: string): unknown => Object.values(other.prepare(`PRAGMA ${name}`).get() ?? {})[0];
      expect(read('application_id')).toBe(APPLICATION_ID);
      expect(read('user_version')).toBe(LATEST_VERSION);
      expect(read('journal_mode')).toBe('wal');
      expect(read('auto_vacuum')).toBe(2);
    }));

  test('tells its version without being changed, and none when it is not there', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      expect(readFileVersion(path)).toBeNull();
      expect(await readdir(folder)).toEqual([]);
      await openQueue({ path }).waitUntilReady();
      expect(readFileVersion(path)).toBe(LATEST_VERSION);
      expect(readFileVersion(':memory:')).toBeNull();
    }));

  test('is used as it was left after the last user has closed it', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path });
      await queue.add('one', {}, { jobId: 'first' });
      await queue.close();
      expect(await readdir(folder)).toEqual(['jobs.db']);
      const again = openQueue({ path });
      await again.add('two', {}, { jobId: 'second' });
      expect((await again.getWaiting()).map(({ id }) => id)).toEqual(['first', 'second']);
      await again.close();
      expect(auditDatabase(path)).toEqual([]);
    }));

  test('that is opened while it is being closed loses neither the last job nor the next', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path });
      const adding = queue.add('one', {}, { jobId: 'first' });
      const closed = queue.close();
      const again = openQueue({ path });
      await Promise.all([adding, closed, again.add('two', {}, { jobId: 'second' })]);
      expect(await visit(path)).toEqual(['first', 'second']);
      await again.add('three', {}, { jobId: 'third' });
      expect(await visit(path)).toEqual(['first', 'second', 'third']);
    }));

  test('that several processes come to make at the same moment is made once, and all of them have it', () =>
    withTempDir(async (folder) => {
      // They wait for each other at each file, so that they meet at nearly every one.
      const all = Array.from({ length: 3 }, () => startProcess(OPENING, [folder, '200']));
      const ends = await Promise.all(all.map(({ ended }) => ended));
      expect(all.map(({ complaints }) => complaints)).toEqual(['', '', '']);
      expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
    }));

  test('that is known by two names keeps what is added under either, whoever else opens and closes it', () =>
    withTempDir(async (folder) => {
      mkdirSync(join(folder, 'real'));
      symlinkSync(join(folder, 'real'), join(folder, 'alias'));
      const path = join(folder, 'real', 'jobs.db');
      const queue = openQueue({ path });
      await queue.add('one', {}, { jobId: 'first' });
      const alias = openQueue({ path: join(folder, 'alias', 'jobs.db') });
      await alias.add('two', {}, { jobId: 'second' });
      expect(await visit(path)).toEqual(['first', 'second']);
      await queue.add('three', {}, { jobId: 'third' });
      await alias.add('four', {}, { jobId: 'fourth' });
      expect(await visit(path)).toEqual(['first', 'fourth', 'second', 'third']);
      expect(auditDatabase(path)).toEqual([]);
    }));

  test('is not written to when it is opened', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const first = openQueue({ path });
      await first.add('one', {});
      const other = new DatabaseSync(path);
      closing.push(async () => other.close());
      await first.close();
      const version = (): unknown => other.prepare('PRAGMA data_version').get()?.['data_version'];
      const before = version();
      const again = openQueue({ path });
      expect(await again.getWaitingCount()).toBe(1);
      expect(version()).toBe(before);
    }));
});

describe('the users of a database in one process', () => {
  test('share one connection, by whatever path they name the file', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const first = hold(path);
      expect(hold(relative(process.cwd(), path)).database).toBe(first.database);
      expect(hold(join(folder, 'x', '..', 'jobs.db')).database).toBe(first.database);
      expect(hold(join(folder, 'other.db')).database).not.toBe(first.database);
    }));

  test('keep it open until the last of them lets go, however often the others do', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const [one, two] = [hold(path), hold(path)];
      await one.release();
      await one.release();
      const queue = openQueue({ path });
      await queue.add('one', {}, { jobId: 'only' });
      expect(await two.database.read(({ connection }) => connection.get('SELECT id FROM job'))).toEqual(['only']);
      await queue.close();
      await two.release();
      const later = hold(path);
      expect(later.database).not.toBe(two.database);
      expect(later.database.connection.get('SELECT id FROM job')).toEqual(['only']);
    }));

  test('have their operations carried out before it is closed', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const queue = openQueue({ path });
      await queue.waitUntilReady();
      const adding = Promise.all(['a', 'b', 'c'].map((jobId) => queue.add('late', {}, { jobId })));
      await Promise.all([queue.close(), adding]);
      expect([...readStates(path).keys()]).toEqual(['a', 'b', 'c']);
    }));

  test('sync with each commit when one of them asks for it, and leave it to checkpoints when none does', () =>
    withTempDir(async (folder) => {
      const path = join(folder, 'jobs.db');
      const one = hold(path);
      expect(pragma(one, 'synchronous')).toBe(1);
      hold(path, { synchronous: 'full' });
      expect(pragma(one, 'synchronous')).toBe(2);
      expect(pragma(hold(join(folder, 'full.db'), { synchronous: 'full' }), 'synchronous')).toBe(2);
    }));

  test('share :memory:, which is empty again after the last has closed it', async () => {
    const [one, two] = [openQueue({ path: ':memory:' }), openQueue({ path: ':memory:' })];
    await one.add('one', {}, { jobId: 'only' });
    expect(await two.getJobState('only')).toBe('waiting');
    await one.close();
    expect(await two.getJobState('only')).toBe('waiting');
    await two.close();
    expect(await openQueue({ path: ':memory:' }).getJobState('only')).toBe('unknown');
  });

  test('refuse to work once they are closed', () =>
    withTempDir(async (folder) => {
      const queue = openQueue({ path: join(folder, 'jobs.db') });
      await queue.add('one', {});
      await queue.close();
      await expect(queue.add('two', {})).rejects.toThrow('Connection is closed.');
    }));
});
