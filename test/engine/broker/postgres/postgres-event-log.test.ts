import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { streamEvents } from '../../../../src/engine/events/event-stream.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { brokersUnderTest } from '../../../support/brokers.ts';
import { createChannel } from '../channel.ts';
import { createStore, newJob, openWorkshop, queueName } from '../workshop.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const postgres = brokersUnderTest().find(({ name }) => name === 'postgres');

test.skipIf(postgres === undefined)(
  'an event whose transaction ends after that of a later one is told too',
  async () => {
    if (postgres === undefined) return;
    const url = await createStore(postgres);
    const workshop = await openWorkshop('postgres', url);
    stops.push(() => workshop.close());
    const queue = workshop.broker.queue(queueName());
    await queue.add(newJob({ task: 'first' }));
    const clients = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
    for (const client of clients) {
      await client.connect();
      await client.query('SET search_path TO bullmq');
      stops.push(() => client.end());
    }
    const [slow, quick] = clients as [pg.Client, pg.Client];
    const publish = (client: pg.Client, id: string) =>
      client.query("SELECT publish_event($1, 'added', jsonb_build_object('jobId', $2::text, 'name', 'by hand'))", [
        queue.name,
        id,
      ]);

    const ending = new AbortController();
    stops.push(() => ending.abort());
    const listening = Promise.withResolvers<void>();
    const heard = createChannel<string | null>();
    const stream = streamEvents(workshop.broker, systemClock, {
      signal: ending.signal,
      onListening: listening.resolve,
    });
    void (async () => {
      for await (const { id } of stream) heard.push(id);
    })();
    await listening.promise;
    await publish(quick, 'before');
    expect(await heard.next()).toBe('before');
    await slow.query('BEGIN');
    await publish(slow, 'slow');
    await publish(quick, 'quick');
    expect(await heard.next()).toBe('quick');
    await slow.query('COMMIT');
    expect(await heard.next()).toBe('slow');
    await publish(quick, 'after');
    expect(await heard.next()).toBe('after');
    expect(heard.all).toEqual(['before', 'quick', 'slow', 'after']);
  },
);
