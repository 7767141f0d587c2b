import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../../src/engine/events/event.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { setUp } from './setup.ts';

describe('options of a stream', () => {
  test('that cannot be are refused at once, before anything is opened', () => {
    const { app, opened } = setUp();
    expect(() => app.events({ where: 'tsk:a' })).toThrow(expect.objectContaining({ code: 'INVALID_QUERY' }));
    expect(() => app.events({ since: 'yesterday' })).toThrow(expect.objectContaining({ code: 'INVALID_DURATION' }));
    expect(() => app.events({ since: new Date('x') })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    app.events();
    expect(opened).toEqual([]);
  });
});

describe.each(brokersUnderTest())('the stream of an app on $name', (underTest) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  test('tells of its tasks while the loop runs, and ends with it', async () => {
    const app = bench.createApp();
    const greet = app.task('greet', async (name: string) => `hello ${name}`);
    await bench.startWorker(app);
    const listening = Promise.withResolvers<void>();
    const told: Event[] = [];
    const hearing = (async () => {
      const where = `queue:${bench.queue} -type:received`;
      for await (const event of app.events({ where, onListening: listening.resolve })) {
        told.push(event);
        if (event.type === 'succeeded') break;
      }
    })();
    await listening.promise;
    const { id } = await greet.apply(['you'], { requestId: 'req-1' });
    await hearing;
    expect(told.map(({ type }) => type)).toEqual(['sent', 'started', 'succeeded']);
    for (const event of told) expect(event).toMatchObject({ id, task: 'greet', requestId: 'req-1' });
    expect(told.at(-1)).toMatchObject({ worker: 'worker-1', attempt: 1, state: 'SUCCESS' });
  });

  test('begins in the past, and ends when the app is closed', async () => {
    const app = bench.createApp();
    await app.send('sent.before');
    const stream = app.events({ since: new Date(Date.now() - 60_000), where: `queue:${bench.queue}` });
    expect((await stream.next()).value).toMatchObject({ type: 'sent', task: 'sent.before' });
    expect((await stream.next()).value).toMatchObject({ type: 'received' });
    const last = stream.next();
    await app.close();
    expect(await last).toEqual({ done: true, value: undefined });
  });
});
