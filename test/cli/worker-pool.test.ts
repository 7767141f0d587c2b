import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { choosePool } from '../../src/cli/worker-pool.ts';
import { loadSettings } from '../../src/engine/config/settings.ts';
import { APP, createFolder } from '../engine/config/folder.ts';

const concurrency = availableParallelism();

interface Given {
  flags?: Record<string, unknown>;
  files?: Record<string, string>;
  brokerUrl?: string;
}

async function choose({ flags = {}, files = {}, brokerUrl }: Given) {
  const cwd = await createFolder(files);
  return { cwd, chosen: choosePool(await loadSettings({ flags, env: {}, cwd }), brokerUrl) };
}

describe('the pool of `tq worker`', () => {
  test('is prefork, with the built-in tasks when nothing names an app', async () => {
    expect((await choose({})).chosen).toEqual({ options: { pool: 'prefork', concurrency, module: null }, notes: [] });
  });

  test('loads in its children the module that --app names', async () => {
    const flags = { app: 'src/app.ts', maxTasksPerChild: '7', maxMemoryPerChild: '100' };
    const { cwd, chosen } = await choose({ flags });
    expect(chosen.options).toEqual({
      pool: 'prefork',
      concurrency,
      module: join(cwd, 'src/app.ts'),
      maxTasksPerChild: 7,
      maxMemoryPerChild: 100 * 2 ** 20,
    });
  });

  test('loads tq.config when that exports the app itself', async () => {
    const { cwd, chosen } = await choose({ files: { 'tq.config.mjs': `export const app = ${APP};` } });
    expect(chosen.options.module).toBe(join(cwd, 'tq.config.mjs'));
  });

  test('is async when it is asked for, and says which limits then mean nothing', async () => {
    const { chosen } = await choose({ flags: { pool: 'async', maxTasksPerChild: '7' } });
    expect(chosen).toEqual({
      options: { pool: 'async', concurrency },
      notes: ['without child processes, --max-tasks-per-child changes nothing'],
    });
  });

  test('is async by itself with a broker in memory, and says so', async () => {
    const { chosen } = await choose({ brokerUrl: 'sqlite::memory:?synchronous=off' });
    expect(chosen).toEqual({
      options: { pool: 'async', concurrency },
      notes: ['the broker is in the memory of this process, so jobs run in its event loop: pool async'],
    });
  });

  test('cannot be asked to be prefork with a broker in memory', async () => {
    const asked = choose({ flags: { pool: 'prefork' }, brokerUrl: 'sqlite::memory:' });
    await expect(asked).rejects.toMatchObject({
      code: 'USAGE',
      exitCode: 2,
      message: expect.stringContaining('--pool asks for the pool prefork'),
    });
  });

  test('has slots by need in place of a fixed number, unless the number comes from a better source', async () => {
    const files = { 'tq.config.mjs': `export default { worker: { autoscale: '8,2' } };` };
    const autoscale = { max: 8, min: 2 };
    expect((await choose({ files })).chosen).toMatchObject({ options: { autoscale }, notes: [] });
    expect((await choose({ flags: { autoscale: '8,2', concurrency: '4' } })).chosen).toMatchObject({
      options: { autoscale },
      notes: ['with --autoscale, --concurrency changes nothing'],
    });
    const { chosen } = await choose({ files, flags: { concurrency: '4' } });
    expect(chosen).toEqual({
      options: { pool: 'prefork', concurrency: 4, module: null },
      notes: ['with --concurrency, tq.config.mjs: worker.autoscale changes nothing'],
    });
  });
});
