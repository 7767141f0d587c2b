import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenedBackends, openBackends } from './opened-backends.ts';
import { LONG_MS } from './relay-workshop.ts';

const SENT = { ts: 1, retainMs: 0, maxSize: 1000 };
const AT_ONCE = { blockMs: 0, count: 100 };

let backends: OpenedBackends;
beforeEach(() => {
  backends = openBackends();
});
afterEach(() => backends.close());

describe('the file', () => {
  test('is opened by the first operation and closed with the last relay of the process', async () => {
    const [one, two] = [backends.open(), backends.open()];
    expect(existsSync(backends.path)).toBe(false);
    await one.waitUntilReady();
    await two.registerNode('a', LONG_MS);
    await one.close();
    expect(await two.heartbeat('a', LONG_MS)).toBe(true);
    expect(existsSync(`${backends.path}-wal`)).toBe(true);
    await two.close();
    expect(existsSync(`${backends.path}-wal`)).toBe(false);
  });

  test('that cannot be opened fails the operation, and the next one tries again', async () => {
    mkdirSync(backends.path);
    const backend = backends.open();
    await expect(backend.waitUntilReady()).rejects.toMatchObject({ code: 'BROKER_UNSUITABLE' });
    rmSync(backends.path, { recursive: true });
    await backend.registerNode('a', LONG_MS);
    expect(await backend.heartbeat('a', LONG_MS)).toBe(true);
  });

  test('is not written to by a reader that finds nothing, nor by a trim or a sweep that changes nothing', async () => {
    const backend = await backends.openSubscribed();
    await backend.publish('t', '1', SENT);
    const { cursor } = await backend.readInbox('a', backend.initialInboxCursor, AT_ONCE);
    await backend.trimInbox('a', cursor, 10);
    const connection = backends.openConnection();
    const changes = (): unknown => connection.get('SELECT total_changes()')?.[0];
    const before = changes();
    await backend.readInbox('a', cursor, AT_ONCE);
    await backend.trimInbox('a', cursor, 10);
    await backend.sweep(100);
    await backend.removeEndpoint('a', 'nobody');
    expect(changes()).toBe(before);
    await backend.heartbeat('a', LONG_MS);
    expect(changes()).not.toBe(before);
  });

  test('parts relays by prefix', async () => {
    const [one, other] = [backends.open({ prefix: 'one' }), backends.open({ prefix: 'other' })];
    await one.registerNode('a', LONG_MS);
    await one.subscribe('a', 'e', '>');
    expect(await other.publish('t', 'x', SENT)).toMatchObject({ nodes: 0 });
    expect(await other.getNodes(0, -1)).toEqual([]);
    expect(await one.getNamespaces()).toEqual(['n']);
    expect(await other.getNamespaces()).toEqual([]);
  });
});

describe('a closed backend', () => {
  test('refuses every operation with the text that BullMQ takes for the end', async () => {
    const backend = await backends.openSubscribed();
    await backend.close();
    await backend.close();
    await expect(backend.heartbeat('a', LONG_MS)).rejects.toThrow('Connection is closed.');
    await expect(backend.getCounts()).rejects.toThrow('Connection is closed.');
    await expect(backend.sweep(1)).rejects.toThrow('Connection is closed.');
  });

  test('gives nothing to a read that it ends, instead of failing it', async () => {
    const backend = await backends.openSubscribed();
    const cursor = backend.initialInboxCursor;
    const batch = backend.readInbox('a', cursor, { blockMs: 600_000, count: 10 });
    await backend.close();
    expect(await batch).toEqual({ entries: [], cursor });
    expect(await backend.readInbox('a', cursor, { blockMs: 600_000, count: 10 })).toEqual({ entries: [], cursor });
  });

  test('that was never used opens nothing', async () => {
    await backends.open().close();
    expect(existsSync(backends.path)).toBe(false);
  });
});

describe('an inbox', () => {
  test('of a removed node is pruned in steps', async () => {
    const backend = await backends.openSubscribed();
    await Promise.all(Array.from({ length: 2500 }, (_, index) => backend.publish('t', `${index}`, SENT)));
    const left = (): number => backends.countRows('relay_inbox');
    await backend.unregisterNode('a');
    expect(left()).toBe(1500);
    await backend.sweep(1);
    expect(left()).toBe(500);
    await backend.sweep(1);
    expect(left()).toBe(0);
    expect(backends.countRows('relay_node')).toBe(0);
  });

  test('of very many consumed messages is trimmed 10,000 at a time', async () => {
    const backend = backends.open();
    await backend.registerNode('a', LONG_MS, {}, 20_000);
    await backend.subscribe('a', 'e', 't');
    await Promise.all(Array.from({ length: 10_005 }, () => backend.publish('t', '', SENT)));
    const { cursor, entries } = await backend.readInbox('a', '0', { blockMs: 0, count: 20_000 });
    expect(entries).toHaveLength(10_005);
    expect(await backend.trimInbox('a', cursor, 20_000)).toBe(5);
    expect(await backend.trimInbox('a', cursor, 20_000)).toBe(0);
  });

  test('is not read with a cursor of another store', async () => {
    const backend = await backends.openSubscribed();
    for (const cursor of ['', '0-0', '1767225600000-0', '1,2', '-1']) {
      await expect(backend.readInbox('a', cursor, AT_ONCE)).rejects.toThrow(`Invalid relay cursor: ${cursor}`);
      await expect(backend.trimInbox('a', cursor, 10)).rejects.toThrow(`Invalid relay cursor: ${cursor}`);
    }
  });

  test('in a file that was made anew gives its reader what comes, from the old cursor on', async () => {
    const backend = await backends.openSubscribed();
    await backend.publish('t', 'old', SENT);
    const { cursor } = await backend.readInbox('a', backend.initialInboxCursor, AT_ONCE);
    await backend.close();
    for (const file of [backends.path, `${backends.path}-wal`, `${backends.path}-shm`]) rmSync(file, { force: true });
    backends.clock.advance(1);
    const anew = await backends.openSubscribed();
    await anew.publish('t', 'new', SENT);
    expect((await anew.readInbox('a', cursor, AT_ONCE)).entries).toMatchObject([{ data: 'new' }]);
  });
});

test('the connection of a node is where it said that it runs', async () => {
  const backend = backends.open();
  await backend.registerNode('a', LONG_MS, { host: 'h1', pid: 42 });
  await backend.registerNode('b', LONG_MS);
  backends.clock.advance(5500);
  await backend.heartbeat('a', LONG_MS);
  backends.clock.advance(2500);
  expect(await backend.getNodeConnections('a')).toEqual([{ address: 'h1:42', age: 8, idle: 2 }]);
  expect(await backend.getNodeConnections('b')).toEqual([{ address: 'local', age: 8, idle: 8 }]);
  backends.clock.advance(LONG_MS);
  expect(await backend.getNodeConnections('a')).toEqual([]);
});
