import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findMissingFile, openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { withTempDir } from '../../support/temp-dir.ts';

test('a SQLite file that is only looked at is not made: it stands for a broker without queues', async () => {
  await withTempDir(async (folder) => {
    const url = `sqlite:${join(folder, '.tq/tq.db')}`;
    const broker = await openBroker(url, { clock: systemClock, onlyExisting: true });
    expect(await broker.listQueues()).toEqual([]);
    expect(await broker.queue('default').readJob('x')).toBeUndefined();
    await broker.close();
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a SQLite file that is there is looked at as it is', async () => {
  await withTempDir(async (folder) => {
    const url = `sqlite:${join(folder, 'tq.db')}`;
    const made = await openBroker(url, { clock: systemClock });
    await made.queue('mail').add({ id: 'a', task: 'a.task', args: [], meta: {}, createdAt: systemClock.now() });
    await made.close();
    const broker = await openBroker(url, { clock: systemClock, onlyExisting: true });
    expect(await broker.listQueues()).toEqual(['mail']);
    await broker.close();
  });
});

test('only the file of a SQLite broker can be missing', async () => {
  await withTempDir(async (folder) => {
    const path = join(folder, 'tq.db');
    expect(findMissingFile(`sqlite:${path}?synchronous=full`)).toBe(path);
    expect(findMissingFile('sqlite::memory:')).toBeUndefined();
    expect(findMissingFile('redis://127.0.0.1:1')).toBeUndefined();
    await (await openBroker(`sqlite:${path}`, { clock: systemClock })).close();
    expect(findMissingFile(`sqlite:${path}`)).toBeUndefined();
  });
});

test('a file that cannot be looked for is not missing: opening it says why', async () => {
  const url = `sqlite:/${'long'.repeat(100)}/tq.db`;
  expect(findMissingFile(url)).toBeUndefined();
  await expect(openBroker(url, { clock: systemClock, onlyExisting: true })).rejects.toMatchObject({
    code: 'BROKER_UNSUITABLE',
  });
});
