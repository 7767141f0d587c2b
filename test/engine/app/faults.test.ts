import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { brokersUnderTest, testServers } from '../../support/brokers.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createChannel } from '../broker/channel.ts';
import { type StartedProcess, startProcess } from '../broker/sqlite/processes/started-process.ts';
import { recordLog } from '../worker/recorded.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

const LOCK_MS = 5000;

describe.each(brokersUnderTest())('a worker of its own process on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  let app: App;
  const processes: StartedProcess[] = [];
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
    app = bench.createApp();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((process) => process.kill()));
    await bench.close();
  });

  const startWorker = async (name: string): Promise<StartedProcess> => {
    const process = startProcess(new URL('./worker-process.ts', import.meta.url), [url, bench.queue, name]);
    processes.push(process);
    await process.said('ready');
    return process;
  };

  test('that is killed while it holds a hundred jobs loses none of them', { timeout: 60_000 }, async () => {
    const doomed = await startWorker('doomed');
    const results = await app.sendBulk<string>(
      'hold',
      Array.from({ length: 100 }, () => []),
    );
    await waitFor(
      'it to hold them all',
      () => doomed.lines.all.filter((line) => line.startsWith('started')).length === 100,
    );
    await doomed.kill();
    const successor = bench.createApp();
    successor.task('hold', () => 'taken up');
    await bench.startWorker(successor, { lockDuration: LOCK_MS, concurrency: 20 });
    const ends = await Promise.all(results.map((result) => result.get({ timeout: '40s' })));
    expect(ends).toEqual(Array(100).fill('taken up'));
    expect(await results[0]?.job()).toMatchObject({ attempts: 1, workersLost: 1 });
  });

  test.each([
    ['ahead by an hour', 3_600_000],
    ['back by an hour', -3_600_000],
  ])('whose clock jumps %s runs its jobs on, and those that come', { timeout: 60_000 }, async (_, ms) => {
    const worker = await startWorker('jumping');
    const before = await app.sendBulk(
      'short',
      Array.from({ length: 20 }, () => [1500]),
    );
    await waitFor('some to run', async () => (await (await app.broker()).queue(bench.queue).counts()).active > 0);
    worker.tell(`jump ${ms}`);
    await worker.said('jumped');
    const after = await app.sendBulk(
      'short',
      Array.from({ length: 20 }, () => [1]),
    );
    const scheduled = await app.send('short', [1], { countdown: 100 });
    for (const result of [...before, ...after]) await result.get({ timeout: '40s' });
    // A clock that went back lets wait what another one scheduled, until a worker with the right time looks.
    if (ms > 0) await scheduled.get({ timeout: '40s' });
    const runs = worker.lines.all.filter((line) => line.startsWith('ended'));
    // In a file the clock of the worker is that of the locks: when it jumps ahead they run out, and what ran runs again.
    const repeats = store.name === 'sqlite' && ms > 0 ? before.length : 0;
    expect(runs.length - new Set(runs).size).toBeLessThanOrEqual(repeats);
  });
});

describe.skipIf(!testServers().canStartRedis)('with a Redis of its own, a worker', () => {
  let server: RedisServer;
  let bench: LiveBench;
  beforeEach(async () => {
    server = await startRedis();
    bench = createLiveBench(server.url);
  });
  afterEach(async () => {
    process.kill(server.pid, 'SIGCONT');
    await bench.close();
    await server.stop('SIGKILL');
  });

  test('goes on with a broker that comes back empty: what ran is dropped, what comes runs', {
    timeout: 60_000,
  }, async () => {
    const app = bench.createApp();
    const started = createChannel<string>();
    const release = Promise.withResolvers<void>();
    app.task('hold', async () => {
      started.push('hold');
      await release.promise;
    });
    app.task('next', () => 'ran');
    const { logger, lines } = recordLog();
    await bench.startWorker(app, { logger, concurrency: 2, lockDuration: LOCK_MS });
    await app.send('hold');
    await started.next();
    await server.stop('SIGKILL');
    await server.restart();
    release.resolve();
    const result = await app.send<string>('next');
    expect(await result.get({ timeout: '30s' })).toBe('ran');
    await waitFor('the log to say that the other one is lost', () =>
      lines.some(({ err }) => (err as { code?: string } | undefined)?.code === 'LOCK_LOST'),
    );
    const broker = await app.broker();
    await waitFor('it to be on the list of live workers again', async () => {
      const names = (await broker.control.listNodes()).map(({ name }) => name);
      return names.includes('worker-1');
    });
    const { holder } = await broker.state.lease('worker/name/worker-1', 'somebody else', 1000);
    expect(holder).not.toBe('somebody else');
  });

  test('loses no job to a broker that is frozen for longer than its locks last', { timeout: 60_000 }, async () => {
    const app = bench.createApp();
    const ran = new Set<number>();
    app.task('count', async (number: number) => {
      await wait(20);
      ran.add(number);
      return number;
    });
    const workers = [1, 2].map(() => bench.startWorker(app, { concurrency: 5, lockDuration: LOCK_MS }));
    await Promise.all(workers);
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    const results = await app.sendBulk<number>(
      'count',
      numbers.map((number) => [number]),
    );
    await waitFor('some to have run', () => ran.size > 50);
    process.kill(server.pid, 'SIGSTOP');
    await wait(LOCK_MS + 2000);
    process.kill(server.pid, 'SIGCONT');
    const ends = await Promise.all(results.map((result) => result.get({ timeout: '40s' })));
    expect(ends).toEqual(numbers);
    expect(ran.size).toBe(1000);
    expect(await (await app.broker()).queue(bench.queue).counts()).toMatchObject({ waiting: 0, active: 0, dead: 0 });
  });
});
