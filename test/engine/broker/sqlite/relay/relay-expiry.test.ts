import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenedBackends, openBackends } from './opened-backends.ts';
import { LONG_MS } from './relay-workshop.ts';

const SENT = { ts: 1, retainMs: 0, maxSize: 1000 };

let backends: OpenedBackends;
beforeEach(() => {
  backends = openBackends();
});
afterEach(() => backends.close());

describe('leases and expiries', () => {
  test('end at the instant that was said, not before and not after', async () => {
    const backend = backends.open();
    await backend.registerNode('a', 1000);
    await backend.subscribe('a', 'e', 't');
    await backend.publish('kept', 'x', { ...SENT, retainMs: 1000 });
    backends.clock.advance(999);
    expect(await backend.publish('t', '1', SENT)).toMatchObject({ nodes: 1 });
    expect((await backend.subscribe('a', 'f', 'kept')).retained).toMatchObject({ data: 'x' });
    backends.clock.advance(1);
    expect(await backend.publish('t', '2', SENT)).toMatchObject({ nodes: 0 });
    expect(await backend.getRetained(0, -1)).toEqual([]);
    expect(await backend.heartbeat('a', 1000)).toBe(false);
    expect(await backend.sweep(1)).toEqual(['a']);
  });

  test('of other namespaces are swept too, after those of this one, and not told', async () => {
    const [mine, others] = [backends.open(), backends.open({ namespace: 'left' })];
    await others.registerNode('x', 1);
    await others.publish('t', 'x', { ...SENT, retainMs: 1 });
    backends.clock.advance(1);
    await mine.registerNode('a', 1);
    backends.clock.advance(1);
    expect(await mine.sweep(1)).toEqual(['a']);
    expect(await others.getNodes(0, -1)).toMatchObject([{ id: 'x' }]);
    expect(await mine.sweep(1)).toEqual([]);
    expect(await others.getNodes(0, -1)).toEqual([]);
    for (const table of ['relay_node', 'relay_retained', 'relay_inbox', 'relay_subscription', 'relay_pattern']) {
      expect(backends.countRows(table), table).toBe(0);
    }
  });

  test('of a namespace in which no node is left are listed until they are swept', async () => {
    const backend = backends.open();
    await backend.registerNode('a', 1);
    backends.clock.advance(1);
    expect(await backend.getNodes(0, -1)).toMatchObject([{ id: 'a', info: {} }]);
    expect(await backend.getNamespaces()).toEqual([]);
    expect(await backend.sweep(1)).toEqual(['a']);
  });

  test('are counted by the instant at which an operation runs, not by that at which it was asked for', async () => {
    const backend = backends.open();
    await backend.registerNode('a', 1000);
    const asked = backend.heartbeat('a', 1000);
    backends.clock.advance(1000);
    expect(await asked).toBe(false);
  });
});

test('retained messages that have run out are removed 100 at a time by who comes by', async () => {
  const backend = await backends.openSubscribed();
  const brief = { ...SENT, retainMs: 1 };
  await Promise.all(Array.from({ length: 250 }, (_, index) => backend.publish(`t${index}`, 'x', brief)));
  backends.clock.advance(1);
  const left = (): number => backends.countRows('relay_retained');
  expect(await backend.getCounts()).toMatchObject({ retained: 0 });
  expect(left()).toBe(250);
  await backend.publish('t', 'x', { ...SENT, retainMs: LONG_MS });
  expect(left()).toBe(151);
  await backend.deleteRetained('u');
  expect(left()).toBe(51);
  await backend.sweep(1);
  expect(left()).toBe(1);
});
