import { rmSync } from 'node:fs';
import type { RelayMessage } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteRelayBackendFactory } from '../../../../../src/engine/broker/sqlite/relay/create-sqlite-relay-backend.ts';
import { createChannel } from '../../channel.ts';
import { listen, nextEvent, type OpenedRelays, openRelays } from './opened-relays.ts';
import { SteppedClock } from './relay-store.ts';

let relays: OpenedRelays;
beforeEach(() => {
  relays = openRelays();
});
afterEach(() => relays.close());

describe('two relays of one process', () => {
  test('a message reaches the listeners whose patterns match, in both', async () => {
    const [one, two] = [relays.open(), relays.open()];
    const [exact, wild, own] = [await listen(two, 'jobs.42'), await listen(two, 'jobs.>'), await listen(one, '*.42')];
    const { nodes, endpoints } = await one.publish('jobs.42', { done: true });
    expect({ nodes, endpoints }).toEqual({ nodes: 2, endpoints: 3 });
    for (const heard of [exact, wild, own]) {
      expect(await heard.next()).toMatchObject({ topic: 'jobs.42', data: { done: true }, retained: false });
    }
    expect(relays.errors.all).toEqual([]);
  });

  test('a listener that unsubscribed hears nothing more', async () => {
    const [one, two] = [relays.open(), relays.open()];
    const gone = createChannel<RelayMessage>();
    const subscription = await two.subscribe('t', (message) => gone.push(message));
    const heard = await listen(two, 't');
    await subscription.unsubscribe();
    await one.publish('t', 1);
    expect((await heard.next()).data).toBe(1);
    expect(gone.all).toEqual([]);
  });

  test('a late listener is given the retained message first, then what follows', async () => {
    const [one, two] = [relays.open(), relays.open()];
    await one.publish('state', 'old', { retain: 60_000 });
    await one.publish('state', 'current', { retain: 60_000 });
    const heard = await listen(two, 'state');
    await one.publish('state', 'next');
    expect(await heard.take(2)).toMatchObject([
      { data: 'current', retained: true },
      { data: 'next', retained: false },
    ]);
  });

  test('questions are answered on a topic of the asker', async () => {
    const [asker, answerer] = [relays.open({ nodeId: 'asker' }), relays.open()];
    await answerer.subscribe<{ replyTo: string; text: string }>('shout', async ({ data }) => {
      await answerer.publish(data.replyTo, data.text.toUpperCase());
    });
    const answers = await listen(asker, 'replies.asker');
    await asker.publish('shout', { replyTo: 'replies.asker', text: 'hello' });
    expect((await answers.next()).data).toBe('HELLO');
  });

  test('many messages arrive in order, also more than one read takes', async () => {
    const [one, two] = [relays.open(), relays.open()];
    const heard = await listen(two, 't');
    await Promise.all(Array.from({ length: 350 }, (_, index) => one.publish('t', index)));
    const data = (await heard.take(350)).map((message) => message.data);
    expect(data).toEqual(Array.from({ length: 350 }, (_, index) => index));
  });

  test('each is listed with its name and its process, and no more once it is closed', async () => {
    const [one, two] = [relays.open({ nodeId: 'one', name: 'mailer' }), relays.open({ nodeId: 'two' })];
    await two.waitUntilReady();
    expect(await one.getNodes()).toMatchObject([
      { id: 'one', info: { name: 'mailer', pid: process.pid } },
      { id: 'two', info: { pid: process.pid } },
    ]);
    expect(await one.getNodeConnections('two')).toMatchObject([
      { address: expect.stringContaining(`:${process.pid}`) },
    ]);
    expect(await one.getNamespaces()).toEqual(['default']);
    await two.close();
    expect((await one.getNodes()).map(({ id }) => id)).toEqual(['one']);
  });

  test('what cannot be published is refused with the error of BullMQ', async () => {
    const relay = relays.open({ maxMessageSize: 10 });
    await expect(relay.publish('a..b', 1)).rejects.toMatchObject({ name: 'RelayError', code: -1 });
    await expect(relay.subscribe('>.a', () => undefined)).rejects.toMatchObject({ name: 'RelayError', code: -2 });
    await expect(relay.publish('t', 'x'.repeat(20))).rejects.toMatchObject({ name: 'RelayError', code: -4 });
  });

  test('in memory they hear each other too', async () => {
    const connection = ':memory:';
    const [one, two] = [relays.open({ connection }), relays.open({ connection })];
    const heard = await listen(two, 't');
    await one.publish('t', 1);
    expect((await heard.next()).data).toBe(1);
  });
});

describe('a relay whose lease has ended', () => {
  test('registers again, subscribes again and goes on', async () => {
    const clock = new SteppedClock();
    const backend = sqliteRelayBackendFactory(clock);
    const late = relays.open({ backend, nodeId: 'late', heartbeatInterval: 10 });
    const other = relays.open({ backend, leaseDuration: 3_600_000 });
    const heard = await listen(late, 't');
    await other.publish('t', 1);
    expect((await heard.next()).data).toBe(1);
    const recovered = nextEvent(late, 'recovered');
    clock.advance(30_000);
    await recovered;
    await other.publish('t', 2);
    expect((await heard.next()).data).toBe(2);
  });

  test('is swept by another, who tells', async () => {
    const clock = new SteppedClock();
    const backend = sqliteRelayBackendFactory(clock);
    const late = relays.open({ backend, nodeId: 'late' });
    await late.waitUntilReady();
    const sweeper = relays.open({ backend, leaseDuration: 3_600_000, sweepInterval: 10 });
    const swept = nextEvent<string[]>(sweeper, 'swept');
    await sweeper.waitUntilReady();
    clock.advance(30_000);
    expect(await swept).toEqual(['late']);
  });
});

test('a relay whose file is removed goes on with a new one', async () => {
  const clock = new SteppedClock();
  const backend = sqliteRelayBackendFactory(clock);
  const lasting = { backend, leaseDuration: 3_600_000, heartbeatInterval: 10 };
  const [one, two] = [relays.open(lasting), relays.open(lasting)];
  const heard = await listen(two, 't');
  await one.publish('t', 1);
  expect((await heard.next()).data).toBe(1);
  const recovered = Promise.all([nextEvent(one, 'recovered'), nextEvent(two, 'recovered')]);
  for (const side of ['', '-wal', '-shm']) rmSync(`${relays.path}${side}`);
  // A process looks once a second whether the file is still its own.
  clock.advance(1000);
  await recovered;
  await one.publish('t', 2);
  expect((await heard.next()).data).toBe(2);
});

test('a relay that falls behind loses the oldest messages, and is listed with how many', async () => {
  const one = relays.open();
  const slow = relays.open({ nodeId: 'slow', inboxMaxLength: 4 });
  const heard = await listen(slow, 't');
  // All in one turn, so that no read comes between them.
  await Promise.all(Array.from({ length: 10 }, (_, index) => one.publish('t', index)));
  expect((await heard.take(4)).map(({ data }) => data)).toEqual([6, 7, 8, 9]);
  const [node] = (await one.getNodes()).filter(({ id }) => id === 'slow');
  expect(node?.dropped).toBe(6);
});

test('a relay on a file that cannot be used says why', async () => {
  const relay = relays.open({ connection: { path: '/dev/null/relay.db' } });
  await expect(relay.waitUntilReady()).rejects.toMatchObject({ code: 'BROKER_UNSUITABLE' });
  expect(await relays.errors.next()).toMatchObject({ code: 'BROKER_UNSUITABLE' });
});
