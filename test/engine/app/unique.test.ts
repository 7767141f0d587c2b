import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { brokersUnderTest } from '../../support/brokers.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

describe.each(brokersUnderTest())('unique tasks on $name', (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  test('a call that is made again gives the result of the first, one of other arguments its own', async () => {
    const app = bench.createApp();
    const task = app.task('double', { unique: true }, (n: number) => 2 * n);
    const [first, again, other] = await task.bulk([[1], [1], [2]]);
    expect([first?.isDuplicate, again?.isDuplicate, other?.isDuplicate]).toEqual([false, true, false]);
    expect(again?.id).toBe(first?.id);
    expect(await task.delay(2)).toMatchObject({ id: other?.id, isDuplicate: true });
    expect(await task.apply([2], { unique: false })).toMatchObject({ isDuplicate: false });
    await bench.startWorker(app);
    expect(await again?.get({ timeout: '20s' })).toBe(2);
    expect(await other?.get({ timeout: '20s' })).toBe(4);
    expect(await task.delay(1)).toMatchObject({ isDuplicate: false });
  });

  test('with a time too, whoever has seen the end of a job can call it again', async () => {
    const app = bench.createApp();
    const task = app.task('double', { unique: { ttl: '10m' } }, (n: number) => 2 * n);
    await bench.startWorker(app);
    for (let round = 0; round < 5; round += 1) {
      const result = await task.delay(1);
      expect(result.isDuplicate).toBe(false);
      expect(await result.get({ timeout: '20s' })).toBe(2);
    }
  });

  test.each(['async', 'prefork'] as const)(
    'until: started, a change that comes while a job runs is run after it (%s)',
    async (pool) => {
      await withTempDir(async (folder) => {
        const app = bench.createApp();
        const { sync } = registerTasks(app);
        const module = pool === 'prefork' ? { module: new URL('./live-tasks.ts', import.meta.url) } : {};
        const file = join(folder, 'seen');
        const first = await sync.delay(file, folder);
        expect(await sync.delay(file, folder)).toMatchObject({ id: first.id, isDuplicate: true });
        await bench.startWorker(app, { pool, concurrency: 1, ...module });
        await waitFor('the first to run', async () => (await readFile(file, 'utf8').catch(() => '')) === 'x');
        const second = await sync.delay(file, folder);
        expect(second.isDuplicate).toBe(false);
        expect(await sync.delay(file, folder)).toMatchObject({ id: second.id, isDuplicate: true });
        await appendFile(join(folder, 'go'), '');
        await Promise.all([first.get({ timeout: '20s' }), second.get({ timeout: '20s' })]);
        expect(await readFile(file, 'utf8')).toBe('xx');
      });
    },
  );
});
