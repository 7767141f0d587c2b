import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteRelayBackendFactory } from '../../../../../src/engine/broker/sqlite/relay/create-sqlite-relay-backend.ts';
import { startProcess } from '../processes/started-process.ts';
import { listen, nextEvent, type OpenedRelays, openRelays } from './opened-relays.ts';
import { SteppedClock } from './relay-store.ts';

const NODE_PROCESS = new URL('./relay-node-process.ts', import.meta.url);

let relays: OpenedRelays;
beforeEach(() => {
  relays = openRelays();
});
afterEach(() => relays.close());

describe('relays of two processes', () => {
  test('questions are answered across them', async () => {
    const child = startProcess(NODE_PROCESS, [relays.path, 'child']);
    relays.afterwards(() => child.kill());
    await child.said('ready');
    const relay = relays.open({ nodeId: 'parent' });
    const answers = await listen(relay, 'replies.parent');
    expect(await relay.publish('ask.double', { replyTo: 'replies.parent', number: 21 })).toMatchObject({ nodes: 1 });
    expect((await answers.next()).data).toEqual({ topic: 'ask.double', double: 42, by: 'child' });
    await Promise.all(
      Array.from({ length: 100 }, (_, number) => relay.publish('ask.double', { replyTo: 'replies.parent', number })),
    );
    const doubles = (await answers.take(100)).map(({ data }) => (data as { double: number }).double);
    expect(doubles).toEqual(Array.from({ length: 100 }, (_, number) => number * 2));
    child.tell('stop');
    await child.said('closed');
    expect((await relay.getNodes()).map(({ id }) => id)).toEqual(['parent']);
  });

  test('one that was killed is swept when its lease has ended', async () => {
    const child = startProcess(NODE_PROCESS, [relays.path, 'child']);
    relays.afterwards(() => child.kill());
    await child.said('ready');
    const clock = new SteppedClock();
    const backend = sqliteRelayBackendFactory(clock);
    const relay = relays.open({ backend, nodeId: 'parent', leaseDuration: 3_600_000, sweepInterval: 20 });
    const swept = nextEvent<string[]>(relay, 'swept');
    await relay.waitUntilReady();
    expect(await relay.getNodes()).toHaveLength(2);
    await child.kill();
    // Beyond the lease of 30 seconds that the last heartbeat of the other process has begun.
    clock.advance(120_000);
    expect(await swept).toEqual(['child']);
    expect(await relay.publish('ask.double', {})).toMatchObject({ nodes: 0 });
  });
});
