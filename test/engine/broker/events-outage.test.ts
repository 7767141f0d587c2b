import { afterEach, describe, expect, test } from 'vitest';
import type { NewJob } from '../../../src/engine/core/job.ts';
import type { Event } from '../../../src/engine/events/event.ts';
import { streamEvents } from '../../../src/engine/events/event-stream.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { type BrokerUnderTest, testServers } from '../../support/brokers.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { startPostgres } from '../../support/postgres-server.ts';
import { startRedis } from '../../support/redis-server.ts';
import { createChannel } from './channel.ts';
import { createStore, newJob, openWorkshop, queueName } from './workshop.ts';

/** A server that comes back with what it had acknowledged. */
interface Mortal {
  readonly url: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
}

const { canStartRedis, canStartPostgres } = testServers();
const stores: { name: BrokerUnderTest['name']; title: string; start: () => Promise<Mortal> }[] = [
  ...(canStartRedis
    ? [
        { name: 'redis' as const, title: 'redis', start: () => startRedis({ persistent: true }) },
        {
          name: 'redis' as const,
          title: 'a redis cluster',
          start: () => startRedis({ persistent: true, cluster: true }),
        },
      ]
    : []),
  ...(canStartPostgres ? [{ name: 'postgres' as const, title: 'postgres', start: startMortalPostgres }] : []),
];

async function startMortalPostgres(): Promise<Mortal> {
  const server = await startPostgres();
  const { url } = await createPostgresDatabase(server.url);
  return { ...server, url };
}

const JOBS = 300;

describe.each(stores)('on $title, a stream of events', ({ name, start }) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  test('goes on after its broker was killed, loses and repeats nothing, and ends while it is away', {
    timeout: 60_000,
  }, async () => {
    const server = await start();
    stops.push(() => server.stop('SIGKILL'));
    await createStore({ name, createUrl: async () => server.url });
    const workshop = await openWorkshop(name, server.url);
    stops.push(() => workshop.close());
    const queue = workshop.broker.queue(queueName());
    await queue.add(newJob({ task: 'first' }));

    const heard = createChannel<Event>();
    const troubles = createChannel<Error>();
    const recoveries = createChannel<number>();
    const ending = new AbortController();
    const listening = Promise.withResolvers<void>();
    const stream = streamEvents(workshop.broker, systemClock, {
      signal: ending.signal,
      matches: ({ type, queue: of }) => type === 'sent' && of === queue.name,
      onListening: listening.resolve,
      onTrouble: troubles.push,
      onRecovered: recoveries.push,
    });
    const ended = (async () => {
      for await (const event of stream) heard.push(event);
    })();
    stops.push(() => {
      ending.abort();
      return ended;
    });
    await listening.promise;

    const jobs = Array.from({ length: JOBS }, (_, index): NewJob => newJob({ task: `job-${index}` }));
    const half = JOBS / 2;
    for (const job of jobs.slice(0, half)) await queue.add(job);
    await server.stop('SIGKILL');
    expect(await troubles.next()).toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await server.restart();
    for (const job of jobs.slice(half)) await queue.add(job);
    expect(await recoveries.next()).toBeGreaterThan(0);
    expect((await heard.take(JOBS)).map(({ task }) => task)).toEqual(jobs.map(({ task }) => task));
    await queue.add(newJob({ task: 'last' }));
    expect((await heard.next()).task).toBe('last');
    expect(troubles.all.length).toBe(recoveries.all.length);

    await server.stop('SIGKILL');
    while (troubles.all.length === recoveries.all.length) await troubles.next();
    ending.abort();
    await ended;
  });
});
