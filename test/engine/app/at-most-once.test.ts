import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { brokersUnderTest } from '../../support/brokers.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

describe.each(brokersUnderTest())('delivery: at-most-once on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  test.each([
    ['async', 'the worker stops'],
    ['prefork', 'the worker stops'],
    ['prefork', 'its process is killed'],
  ] as const)('with the pool %s, a job is run once when %s', async (pool, what) => {
    await withTempDir(async (folder) => {
      const app = bench.createApp();
      const { deafOnce, add } = registerTasks(app);
      const options = { pool, ...(pool === 'prefork' && { module: new URL('./live-tasks.ts', import.meta.url) }) };
      const file = join(folder, 'words');
      const first = await bench.startWorker(app, { concurrency: 1, ...options });
      const result = await deafOnce.delay(file);
      await waitFor('the job to run', async () => (await readFile(file, 'utf8').catch(() => '')) === 'holding\n');
      if (what === 'the worker stops') {
        expect(await first.stop(10)).toEqual({ handedBack: 0, reason: 'timeout' });
        await bench.startWorker(app, { concurrency: 1, ...options });
      } else {
        process.kill(first.children[0] as number, 'SIGKILL');
      }
      await expect(result.get({ timeout: '20s' })).rejects.toMatchObject({ cause: { code: 'NOT_RUN_AGAIN' } });
      // A worker is there, and has nothing left to start.
      expect(await (await add.delay(1, 2)).get({ timeout: '20s' })).toBe(3);
      expect(await readFile(file, 'utf8')).toBe('holding\n');
    });
  });
});
