import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App, WorkerOptions } from '../../../src/engine/app/contract.ts';
import { TaskFailed, WorkerLost } from '../../../src/engine/core/errors.ts';
import type { Worker } from '../../../src/engine/worker/worker.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

const module = new URL('./live-tasks.ts', import.meta.url);

describe.each(brokersUnderTest())('workers with child processes on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  const setUp = () => {
    const app = bench.createApp();
    return { app, tasks: registerTasks(app) };
  };
  const startWorker = (app: App, options: WorkerOptions = {}): Promise<Worker> =>
    bench.startWorker(app, { pool: 'prefork', module, concurrency: 2, ...options });

  test('a job runs in a child and its result comes back', async () => {
    const { app, tasks } = setUp();
    await startWorker(app);
    const result = await tasks.add.delay(1, 2);
    expect(await result.get({ timeout: '20s' })).toBe(3);
    expect(await result.job()).toMatchObject({ attempts: 1, workersLost: 0, worker: 'worker-1' });
  });

  test('a task calls another one on the same broker', async () => {
    const { app, tasks } = setUp();
    await startWorker(app);
    expect(await (await tasks.caller.delay()).get({ timeout: '20s' })).toBe(42);
  });

  test('a job whose process dies is run again, charged no attempt, and its losses are counted', async () => {
    await withTempDir(async (folder) => {
      const { app, tasks } = setUp();
      await startWorker(app);
      const result = await tasks.fragile.delay(join(folder, 'runs'), 2);
      expect(await result.get({ timeout: '20s' })).toEqual({ runs: 2, attempt: 1 });
      expect(await result.job()).toMatchObject({ state: 'SUCCESS', attempts: 1, workersLost: 2, error: null });
    });
  });

  test('a job that kills every process is a dead letter that names the exit code', async () => {
    const { app, tasks } = setUp();
    await startWorker(app);
    const result = await tasks.deadly.delay();
    const error = await result.get({ timeout: '30s' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TaskFailed);
    expect((error as TaskFailed).message).toContain('exit code 7; workers lost by this job: 4');
    expect(await result.error()).toMatchObject({ name: WorkerLost.name, code: 'WORKER_LOST' });
    expect(await result.job()).toMatchObject({ state: 'FAILURE', attempts: 1, workersLost: 3 });
  });

  test('the lock of a job outlives a task that blocks its process for longer than the lock lasts', async () => {
    const { app, tasks } = setUp();
    const worker = await startWorker(app, { lockDuration: 5000 });
    const [block, sleep] = [await tasks.block.apply([], { timeLimit: 6500 }), await tasks.sleep.delay(6000)];
    await waitFor('both to run', () => worker.running === 2);
    // It would take them up, and do something else.
    const rescuer = bench.createApp();
    for (const name of ['block', 'sleep']) rescuer.task(name, () => 'taken up');
    await bench.startWorker(rescuer, { lockDuration: 5000 });
    expect(await sleep.get({ timeout: '25s' })).toBeNull();
    await expect(block.get({ timeout: '25s' })).rejects.toMatchObject({ cause: { code: 'TIME_LIMIT' } });
    for (const result of [block, sleep]) {
      expect(await result.job()).toMatchObject({ workersLost: 0, attempts: 1, worker: 'worker-1' });
    }
  });

  test('a job handed back by a worker that stops is run by another one at once', async () => {
    await withTempDir(async (folder) => {
      const { app, tasks } = setUp();
      const file = join(folder, 'words');
      const leaving = await startWorker(app);
      const result = await tasks.deaf.delay(file);
      await waitFor('the job to run', async () => (await readFile(file, 'utf8')) === 'holding\n');
      expect(await leaving.stop(10)).toEqual({ handedBack: 1, reason: 'timeout' });
      expect(await result.job()).toMatchObject({ attempts: 0, workersLost: 0 });
      await startWorker(app);
      await waitFor('it to run again', async () => (await readFile(file, 'utf8')) === 'holding\nholding\n');
    });
  });

  test('children that are killed again and again lose no job', async () => {
    await withTempDir(async (folder) => {
      const { app, tasks } = setUp();
      const file = join(folder, 'words');
      const worker = await startWorker(app, { concurrency: 3, maxTasksPerChild: 20 });
      const words = Array.from({ length: 150 }, (_, index) => `word-${index}`);
      const results = await tasks.write.bulk(words.map((word) => [file, word, 5] as const));
      const killer = killChildren(worker, 6);
      await Promise.all(results.map((result) => result.get({ timeout: '60s' })));
      await killer;
      const written = (await readFile(file, 'utf8')).trimEnd().split('\n');
      expect(new Set(written)).toEqual(new Set(words));
      // Only a job that was running when its process was killed may have run twice.
      expect(written.length - words.length).toBeLessThanOrEqual(6);
    });
  });
});

/** Kills a child that lives, so many times, each time another one. */
async function killChildren(worker: Worker, times: number): Promise<void> {
  const killed = new Set<number>();
  while (killed.size < times) {
    const pid = await waitFor('a child to kill', () => worker.children.find((child) => !killed.has(child)));
    killed.add(pid);
    process.kill(pid, 'SIGKILL');
    await waitFor('it to be gone', () => !worker.children.includes(pid));
  }
}
