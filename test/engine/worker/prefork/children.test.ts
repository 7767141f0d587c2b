import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { withTempDir } from '../../../support/temp-dir.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { createPoolBench, isAlive, startPool } from './prefork-setup.ts';

const module = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));

/** Writes a module that exports an app with the task `where`, after what `before` does. */
async function writeApp(folder: string, before: string): Promise<string> {
  const file = join(folder, 'app.mjs');
  const createApp = JSON.stringify(new URL('../../../../src/engine/app/create-app.ts', import.meta.url).href);
  const text = [
    `import { createApp } from ${createApp};`,
    before,
    `export const app = createApp({ broker: 'redis://nobody', builtins: false }, { env: {} });`,
    `app.task('where', () => ({ pid: process.pid }));`,
  ];
  await writeFile(file, text.join('\n'));
  return file;
}

describe('a pool does not start, and says why once, when its children', () => {
  test.each<[string, string, string, string]>([
    ['find no module', '', 'APP_NOT_FOUND', 'there is no file'],
    ['load a module that throws', 'throw new TypeError("no database")', 'APP_FAILED', 'no database'],
    ['load a module that cannot be parsed', 'const = 1', 'APP_FAILED', 'syntax error'],
    ['load a module that ends the process', 'process.exit(3)', 'CHILD_FAILED', 'exit code 3'],
    [
      'load a module that starts a worker',
      'await createApp({ builtins: false }).createWorker()',
      'APP_FAILED',
      'a worker cannot be made in a child process',
    ],
  ])('%s', async (_, before, code, message) => {
    await withTempDir(async (folder) => {
      const file = before === '' ? join(folder, 'nothing.mjs') : await writeApp(folder, before);
      const { pool, log } = createPoolBench({ concurrency: 3, prefork: { module: file } });
      await expect(pool.start()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
      expect(pool.children).toEqual([]);
      expect(log.lines.filter(({ level }) => level === 'ERROR')).toEqual([]);
    });
  });

  test('have a hook processStart that throws', async () => {
    await withTempDir(async (folder) => {
      const file = await writeApp(folder, '');
      const failing = `app.hooks.processStart = ({ worker, queues }) => { throw new Error(worker + queues.join()); };`;
      await writeFile(file, `${await readFile(file, 'utf8')}\n${failing}`);
      const { pool } = createPoolBench({ prefork: { module: file } });
      await expect(pool.start()).rejects.toMatchObject({
        code: 'CHILD_FAILED',
        message: expect.stringContaining('the hook processStart failed: tq@testdefault'),
      });
    });
  });

  test('make a worker themselves, for each of its children would do so again', async () => {
    await withTempDir(async (folder) => {
      const makeWorker = `await createApp({ builtins: false }).createWorker().catch(({ code }) => console.log(code));`;
      const { pool, line } = createPoolBench({ prefork: { module: await writeApp(folder, makeWorker) } });
      await pool.start();
      await line({ message: 'WORKER_IN_CHILD', stream: 'stdout' });
    });
  });

  test('exports no app', async () => {
    const { pool } = createPoolBench({ prefork: { module: module('../../broker/channel.ts') } });
    await expect(pool.start()).rejects.toMatchObject({ code: 'APP_NOT_EXPORTED' });
  });
});

test('a pool whose processes the system cannot start says so', async () => {
  const { execPath } = process;
  const { pool } = createPoolBench({ concurrency: 2 });
  try {
    process.execPath = '/nowhere/node';
    await expect(pool.start()).rejects.toMatchObject({
      code: 'CHILD_FAILED',
      message: expect.stringContaining('the process cannot be started: spawn /nowhere/node ENOENT'),
    });
  } finally {
    process.execPath = execPath;
  }
});

test('a pool that is stopped while it starts leaves no child, and its start resolves', async () => {
  const { pool } = createPoolBench({ concurrency: 2 });
  const started = pool.start();
  const pids = pool.children;
  expect(pids).toHaveLength(2);
  await pool.stop();
  await started;
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a child that dies while others still start is replaced', async () => {
  await withTempDir(async (folder) => {
    const [first, go] = [join(folder, 'first'), join(folder, 'go')].map((path) => JSON.stringify(path));
    const file = await writeApp(
      folder,
      `import { existsSync, writeFileSync } from 'node:fs';
       import { setTimeout as wait } from 'node:timers/promises';
       try {
         writeFileSync(${first}, String(process.pid), { flag: 'wx' });
       } catch {
         while (!existsSync(${go})) await wait(5);
       }`,
    );
    const { pool, capacities } = createPoolBench({ concurrency: 2, prefork: { module: file } });
    const started = pool.start();
    // One is ready.
    expect(await capacities.next()).toBe(1);
    const pid = Number(await readFile(join(folder, 'first'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await waitFor('it to be gone', () => !pool.children.includes(pid));
    await writeFile(join(folder, 'go'), '');
    await started;
    await waitFor('two others', () => pool.capacity === 2);
    expect(pool.children).not.toContain(pid);
  });
});

test('a pool that was stopped starts no child', async () => {
  const { pool } = createPoolBench();
  await pool.stop();
  await pool.start();
  expect(pool.children).toEqual([]);
});

test('a replacement that cannot start is tried again with growing pauses, and said, until it can', async () => {
  await withTempDir(async (folder) => {
    const flag = join(folder, 'broken');
    const file = await writeApp(
      folder,
      `import { existsSync } from 'node:fs'; if (existsSync(${JSON.stringify(flag)})) throw new Error('a bad deploy');`,
    );
    const { pool, perform, log } = await startPool({ concurrency: 2, prefork: { module: file } });
    await writeFile(flag, '');
    for (const pid of pool.children) process.kill(pid, 'SIGKILL');
    const failures = () => log.lines.filter(({ message }) => message === 'a child process could not be started');
    await waitFor('three failures', () => failures().length >= 3, { timeoutMs: 20_000 });
    const pauses = failures().map(({ retry_in_ms: ms }) => ms as number);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses[2]).toBeGreaterThan(pauses[0] as number);
    expect(failures()[0]).toMatchObject({ level: 'ERROR', err: { code: 'APP_FAILED' } });
    await rm(flag);
    await waitFor('a job to run again', async () => (await perform('where')).kind === 'succeeded', {
      timeoutMs: 20_000,
    });
    await waitFor('both children', () => pool.capacity === 2, { timeoutMs: 20_000 });
  });
});

describe('a child is replaced', () => {
  test('after its number of jobs, by one that was ready before it left: no job waits', async () => {
    const { pool, perform, line } = await startPool({ prefork: { maxTasksPerChild: 3 } });
    const [first] = pool.children as [number];
    const seen: unknown[] = [];
    for (let job = 0; job < 3; job += 1) seen.push(await perform('where'));
    await line({ message: 'a child process will be replaced', pid: first, jobs: 3, reason: 'it has run 3 jobs' });
    await waitFor('the replacement to have taken over', async () => {
      const outcome = await perform('where');
      seen.push(outcome);
      return outcome.kind === 'succeeded' && (outcome.result as { pid: number }).pid !== first;
    });
    expect(seen.filter((outcome) => (outcome as { kind: string }).kind !== 'succeeded')).toEqual([]);
    await line({ message: 'closed', pid: first });
    await waitFor('the replacement to be alone', () => pool.children.length === 1);
  });

  test('when it holds too much memory, but not before', async () => {
    const { pool, perform, line } = await startPool({ prefork: { maxMemoryPerChild: 300 * 2 ** 20 } });
    const [first] = pool.children as [number];
    expect(await perform('eat-memory', { args: [1] })).toEqual({ kind: 'succeeded', result: first });
    expect(await perform('eat-memory', { args: [300] })).toEqual({ kind: 'succeeded', result: first });
    const said = await line({ message: 'a child process will be replaced', pid: first, jobs: 2 });
    expect(said['reason']).toMatch(/^it holds \d{3} MiB of memory$/);
    await waitFor('it to be gone', () => !isAlive(first));
    expect(await perform('where')).toMatchObject({ kind: 'succeeded' });
  });

  test('a busy one goes on with its job until it has ended', async () => {
    const { pool, perform, line } = await startPool({ concurrency: 2, prefork: { maxTasksPerChild: 1 } });
    const held = perform('hold-and-finish');
    await line({ message: 'holding' });
    for (let job = 0; job < 4; job += 1) expect(await perform('where')).toMatchObject({ kind: 'succeeded' });
    expect(pool.running.size).toBe(1);
    pool.abortAll();
    expect(await held).toEqual({ kind: 'succeeded', result: 'WORKER_STOPPING' });
  });
});

describe('a pool is resized', () => {
  test('to more: others are started', async () => {
    const { pool, perform, capacities } = await startPool();
    pool.resize(3);
    expect(pool.size).toBe(3);
    while (pool.capacity < 3) await capacities.next();
    const held = [1, 2, 3].map(() => perform('hold'));
    await waitFor('three jobs', () => pool.running.size === 3);
    pool.abortAll();
    await Promise.all(held);
  });

  test('to fewer: idle ones leave at once, busy ones after their job', async () => {
    const { pool, perform, line } = await startPool({ concurrency: 3 });
    const held = [perform('hold-and-finish'), perform('hold-and-finish')];
    await waitFor('two jobs', () => pool.running.size === 2);
    pool.resize(1);
    expect(pool.capacity).toBe(1);
    await line({ message: 'closed' });
    await waitFor('the idle one to be gone', () => pool.children.length === 2);
    pool.abortAll();
    expect(await Promise.all(held)).toMatchObject([{ kind: 'succeeded' }, { kind: 'succeeded' }]);
    await waitFor('one to be left', () => pool.children.length === 1);
    expect(await perform('where')).toMatchObject({ kind: 'succeeded' });
  });
});

test('jobs are asked for ahead of a free child while they are short, and no more once one takes long', async () => {
  const { pool, perform, capacities } = await startPool({ concurrency: 2 });
  const jobs = async (): Promise<void> => {
    while (pool.capacity <= 2) await perform('noop');
  };
  await jobs();
  expect(pool.capacity).toBe(4);
  await perform('hold-for', { args: [300] });
  expect(pool.capacity).toBe(2);
  expect(capacities.all.at(-1)).toBe(2);
});

describe('children end when their parent is killed, with what their tasks have started', () => {
  test.each([
    ['idle ones and one that waits', 'spawn-a-child'],
    ['also one whose task blocks its event loop', 'spawn-a-child-and-block'],
  ])('%s', async (_, task) => {
    await withTempDir(async (folder) => {
      const parent = fork(module('doomed-parent.ts'), [folder, task]);
      try {
        const [pids] = (await once(parent, 'message')) as [number[]];
        expect(pids).toHaveLength(3);
        expect(pids.every(isAlive)).toBe(true);
        parent.kill('SIGKILL');
        await waitFor('all of them to be gone', () => !pids.some(isAlive));
      } finally {
        parent.kill('SIGKILL');
      }
    });
  });
});
