import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TaskRevoked } from '../../../src/engine/core/errors.ts';
import { context } from '../../../src/engine/task/context.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  test('who waits for a scheduled job that is revoked hears it at once, without a worker', async () => {
    const app = bench.createApp();
    const later = await app.send('later', [], { countdown: '1h' });
    const waiting = expect(later.get()).rejects.toThrow(TaskRevoked);
    expect(await app.result(later.id).revoke()).toEqual({
      ...{ id: later.id, task: 'later', queue: bench.queue },
      ...{ happened: 'never started', state: 'REVOKED', worker: null },
    });
    await waiting;
    await expect(later.get()).rejects.toThrow(TaskRevoked);
    expect(await later.state()).toBe('REVOKED');
  });

  test('a job that waits for its retry is not started again', async () => {
    const retried = Promise.withResolvers<void>();
    const app = bench.createApp({ hooks: { taskRetry: () => retried.resolve() } });
    let runs = 0;
    const task = app.task('fail', { retry: { max: 5, delay: '1h' } }, () => {
      runs += 1;
      throw new Error('no');
    });
    const worker = await bench.startWorker(app);
    const result = await task.delay();
    await retried.promise;
    await worker.stop();
    expect(await result.revoke()).toMatchObject({ happened: 'not started again', state: 'REVOKED' });
    await expect(result.get()).rejects.toThrow(TaskRevoked);
    expect(runs).toBe(1);
  });

  test('a running job is aborted, and one that was revoked before is refused', async () => {
    const app = bench.createApp();
    const begun = Promise.withResolvers<void>();
    const reasons: unknown[] = [];
    const hold = app.task('hold', async (): Promise<void> => {
      const { signal } = context();
      begun.resolve();
      await new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason);
          reject(new Error('anything'));
        });
      });
    });
    const refused = await hold.delay();
    expect(await refused.revoke()).toMatchObject({ happened: 'never started' });
    const running = await hold.delay();
    const worker = await bench.startWorker(app);
    await begun.promise;
    expect(await running.revoke()).toMatchObject({ happened: 'aborted', state: 'REVOKED', worker: worker.name });
    await expect(running.get()).rejects.toThrow(TaskRevoked);
    expect(reasons).toEqual([expect.any(TaskRevoked)]);
    expect(worker.listRevoked().map(({ id }) => id)).toEqual([running.id, refused.id]);
    expect(await refused.job()).toMatchObject({ state: 'REVOKED', finishedAt: expect.any(Number) });
  });
});
