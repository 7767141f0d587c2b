import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import type { ControlBus } from '../../../src/engine/broker/control-port.ts';
import type { JobEventFeed, ListenOptions, LogEntry } from '../../../src/engine/broker/event-port.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { createError } from '../../../src/engine/core/errors.ts';
import { type EventStreamOptions, streamEvents } from '../../../src/engine/events/event-stream.ts';

const clock = { now: () => 0, monotonic: () => 0 };
let ending = new AbortController();
afterEach(() => {
  ending.abort();
  ending = new AbortController();
});

/** A stream over a feed that the test writes. */
function open(
  batches: (options: ListenOptions) => AsyncGenerator<readonly LogEntry[]>,
  options: EventStreamOptions = {},
) {
  const listen = (given: ListenOptions): JobEventFeed => ({
    [Symbol.asyncIterator]: () => batches(given),
    readFacts: async () => new Map(),
  });
  const control = { listNodes: async () => [] } as unknown as ControlBus;
  const broker = { events: { listen }, control } as unknown as Broker;
  return streamEvents(broker, clock, { signal: ending.signal, ...options });
}

const added = (id: string): LogEntry => ({ queue: 'q', id, at: 1, kind: 'added', task: 'work' });

test('a reader that stops asking is read ahead by one batch at most', async () => {
  let read = 0;
  const stream = open(async function* () {
    for (;;) {
      read += 1;
      yield [added(`${read}-a`), added(`${read}-b`)];
    }
  });
  expect((await stream.next()).value?.id).toBe('1-a');
  expect((await stream.next()).value?.id).toBe('1-b');
  expect(read).toBe(1);
  expect((await stream.next()).value?.id).toBe('2-a');
  await new Promise((resolve) => setImmediate(resolve));
  expect(read).toBe(2);
});

test('leaving the loop ends the feed', async () => {
  let ended = false;
  const stream = open(async function* ({ signal }) {
    try {
      yield [added('1')];
      await once(signal, 'abort');
    } finally {
      ended = true;
    }
  });
  for await (const { id } of stream) {
    expect(id).toBe('1');
    break;
  }
  expect(ended).toBe(true);
});

test('it listens once the feed has its place and the workers are known', async () => {
  const said: string[] = [];
  const listening = Promise.withResolvers<void>();
  const stream = open(
    async function* ({ signal, onListening }) {
      said.push('reading');
      onListening?.();
      await once(signal, 'abort');
      yield [added('too late')];
    },
    {
      onListening() {
        said.push('listening');
        listening.resolve();
      },
    },
  );
  const next = stream.next();
  await listening.promise;
  expect(said).toEqual(['reading', 'listening']);
  ending.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('what the feed throws, the stream throws, and it is over', async () => {
  const error = createError('INTERNAL', { doing: 'reading the events', reason: 'no such table' });
  // biome-ignore lint/correctness/useYield: it fails before it has anything to give
  const stream = open(async function* () {
    throw error;
  });
  await expect(stream.next()).rejects.toBe(error);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});
