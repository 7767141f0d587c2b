import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App, AppOptions } from '../../../src/engine/app/contract.ts';
import type { ResultStore } from '../../../src/engine/broker/result-store/result-port.ts';
import { TaskFailed, TaskRevoked } from '../../../src/engine/core/errors.ts';
import { Ignore } from '../../../src/engine/task/exceptions.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { openMigrated, resultStoresUnderTest } from '../broker/result-store/result-stores.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

const pairs = brokersUnderTest().flatMap((broker) =>
  // Any store under one broker, and any broker over one store.
  resultStoresUnderTest()
    .filter(({ name }) => broker.name === 'sqlite' || name === 'sqlite')
    .map((results) => ({ title: `${broker.name} with results in ${results.name}`, broker, results })),
);

describe.each(pairs)('on $title', ({ broker: brokerKind, results: resultsKind }) => {
  let brokerUrl: string;
  let resultsUrl: string;
  let bench: LiveBench;
  let app: App;
  let store: ResultStore;
  beforeAll(async () => {
    brokerUrl = await createStore(brokerKind);
  });
  beforeEach(async () => {
    resultsUrl = await resultsKind.createUrl();
    await (await openMigrated(resultsUrl)).close();
    bench = createLiveBench(brokerUrl);
    app = bench.createApp({ results: resultsUrl });
    store = (await app.resultStore()) as ResultStore;
  });
  afterEach(() => bench.close());

  const forgetInBroker = async (id: string): Promise<void> => {
    expect(await (await app.broker()).queue(bench.queue).removeJob(id)).toBe(true);
  };

  test('a job that the broker knows no more is still read, its result, its state and its error', async () => {
    const add = app.task('add', (a: number, b: number) => ({ sum: a + b }));
    const fail = app.task('fail', () => {
      throw Object.assign(new RangeError('too far'), { code: 'E_FAR' });
    });
    const give = app.task('give', () => {
      throw new Ignore('not today');
    });
    await bench.startWorker(app);
    const [sum, failed, ignored] = [await add.delay(1, 2), await fail.delay(), await give.delay()];
    expect(await sum.get({ timeout: '20s' })).toEqual({ sum: 3 });
    await expect(failed.get({ timeout: '20s' })).rejects.toThrow(TaskFailed);
    await ignored.get({ timeout: '20s' });
    const kept = await Promise.all([sum, failed, ignored].map((result) => result.job()));
    for (const { id } of [sum, failed, ignored]) await forgetInBroker(id);
    const result = app.result(sum.id);
    expect(await result.get()).toEqual({ sum: 3 });
    expect([await result.state(), await result.attempts(), result.queue]).toEqual(['SUCCESS', 1, undefined]);
    const { id, task, queue, args, worker, createdAt, startedAt } = kept[0] ?? {};
    expect(await result.job()).toMatchObject({ id, task, queue, args, worker, createdAt, startedAt, attempts: 1 });
    await expect(app.result(failed.id).get()).rejects.toMatchObject({ cause: { name: 'RangeError', code: 'E_FAR' } });
    expect(await app.result(failed.id).error()).toEqual(kept[1]?.error);
    expect(await app.result(ignored.id).job()).toMatchObject({ state: 'IGNORED', reason: 'not today', result: null });
    await expect(app.result('nope').get()).rejects.toThrow('nope');
    expect(await app.result('nope').state()).toBe('UNKNOWN');
    expect(await sum.forget()).toBe(true);
    expect(await sum.state()).toBe('UNKNOWN');
    expect(await sum.forget()).toBe(false);
  });

  test('an acknowledged job has its row, whenever one looks', async () => {
    const echo = app.task('echo', (value: number) => value);
    await bench.startWorker(app, { concurrency: 20 });
    const results = await echo.bulk(Array.from({ length: 200 }, (_, index) => [index] as [number]));
    const found = await Promise.all(
      results.map(async (result) => {
        await result.get({ timeout: '30s' });
        return (await store.read(result.id))[0]?.result;
      }),
    );
    expect(found).toEqual(results.map((_, index) => index));
  });

  test('the row of a job that was retried is that of its last attempt', async () => {
    let runs = 0;
    const flaky = app.task('flaky', { retry: { max: 3, delay: 1, jitter: false } }, () => {
      runs += 1;
      if (runs < 3) throw new Error('not yet');
      return runs;
    });
    await bench.startWorker(app);
    const result = await flaky.delay();
    await result.get({ timeout: '20s' });
    expect(await store.read(result.id)).toMatchObject([{ state: 'SUCCESS', attempts: 3, result: 3, error: null }]);
  });

  test('a revoked job has a row that says why, though it never ran', async () => {
    const idle = app.task('idle', () => undefined);
    const result = await idle.delay();
    await result.revoke();
    await bench.startWorker(app);
    await expect(result.get({ timeout: '20s' })).rejects.toThrow(TaskRevoked);
    const worker = await bench.startWorker(app, { burst: true });
    await worker.ended;
    const [row] = await store.read(result.id);
    expect(row).toMatchObject({ state: 'REVOKED', reason: expect.stringMatching(/^at \d{4}-/) });
  });

  test('results that are ignored leave no row, and arguments that are withheld are not in it', async () => {
    const quiet = app.task('quiet', { ignoreResult: true }, () => 1);
    const secret = app.task('secret', { storeArgs: false }, (_password: string) => 2);
    const doomed = app.task('doomed', { ignoreResult: true, storeErrorsEvenIfIgnored: true }, () => {
      throw new Error('no');
    });
    const [first, second, third] = [await quiet.delay(), await secret.delay('hunter2'), await doomed.delay()];
    const called = await secret.apply(['hunter2'], { ignoreResult: true });
    const worker = await bench.startWorker(app, { burst: true });
    await worker.ended;
    const rows = await Promise.all([first, second, third, called].map(({ id }) => store.read(id)));
    expect(rows).toMatchObject([[], [{ args: null, result: 2 }], [{ state: 'FAILURE' }], []]);
  });

  test('a call says how long its result may be read, also from the store', async () => {
    const brief = app.task('brief', () => 1);
    await bench.startWorker(app);
    const result = await brief.apply([], { resultExpires: '1h' });
    await result.get({ timeout: '20s' });
    const [row] = await store.read(result.id);
    expect((row?.expiresAt ?? 0) - (row?.finishedAt ?? 0)).toBe(3_600_000);
  });

  test('jobs of child processes have their rows from the parent, and children read the store', {
    timeout: 60_000,
  }, async () => {
    const { add, lookUp } = registerTasks(app);
    const module = new URL('./live-tasks.ts', import.meta.url);
    await bench.startWorker(app, { pool: 'prefork', module, concurrency: 1 });
    const result = await add.delay(1, 2);
    expect(await result.get({ timeout: '30s' })).toBe(3);
    expect(await store.read(result.id)).toMatchObject([{ result: 3, worker: 'worker-1' }]);
    await forgetInBroker(result.id);
    expect(await (await lookUp.delay(result.id)).get({ timeout: '30s' })).toBe(3);
  });

  test('the history is read by queries, newest first', async () => {
    const one = app.task('mail.one', () => 1);
    const two = app.task('mail.two', () => 2);
    await bench.startWorker(app, { concurrency: 1 });
    const calls = [await one.delay(), await two.delay(), await one.delay()];
    for (const call of calls) await call.get({ timeout: '20s' });
    const read = async (options: Parameters<App['results']>[0]) => {
      const ids: string[] = [];
      for await (const { id } of app.results(options)) ids.push(id);
      return ids;
    };
    const ids = calls.map(({ id }) => id);
    expect(await read({ where: 'task:mail.one' })).toEqual([ids[2], ids[0]]);
    expect(await read({ where: 'task:mail.* -task:mail.one' })).toEqual([ids[1]]);
    expect((await read({ sort: 'created' })).toSorted()).toEqual(ids.toSorted());
  });
});

describe('an app', () => {
  const create = (options: AppOptions) => createLiveBench('sqlite::memory:').createApp(options);

  test('without a result store has no history, and says how to get one', async () => {
    const app = create({});
    await expect(app.results().next()).rejects.toMatchObject({ code: 'RESULTS_OFF' });
    await app.close();
  });

  test.each([
    [{ results: 'redis://localhost' }, 'RESULTS_URL_INVALID'],
    [{ results: 'postgres://u:se/cret@host/db' }, 'RESULTS_URL_INVALID'],
    [{ results: 'sqlite:a.db?sync=full' }, 'RESULTS_URL_INVALID'],
  ])('with %j fails at its first use', async (options, code) => {
    const app = create(options);
    const failure = await app.createWorker().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).not.toContain('cret');
    await app.close();
  });

  test.each([
    [{ results: { maxCount: 0 } }, 'maxCount of results'],
    [{ results: { maxAge: 'soon' } }, 'maxAge of results'],
    [{ results: { maxAges: '1d' } }, 'maxAges'],
    [{ results: 7 }, 'results must be a URL or an object'],
  ])('refuses %j', (options, text) => {
    expect(() => create(options as AppOptions)).toThrow(text);
  });
});
