import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun, recordEnded, recordStarted } from '../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

/** The config file exports the app itself, so that children load that. */
const CONFIG = `
import { appendFileSync, existsSync } from 'node:fs';
import { createApp } from 'taskq';

export const app = createApp({ broker: 'sqlite:jobs.db', builtins: false });
app.task('where', () => process.pid);
// It never gives its event loop a turn, until the test lets it end.
app.task('compute', () => {
  appendFileSync('pids', process.pid + '\\n');
  while (!existsSync('go'));
  return 'computed';
});
app.task('write', (word) => appendFileSync('words', word + '\\n'));
app.task('print', async (lines) => {
  const line = 'x'.repeat(1023) + '\\n';
  for (let index = 0; index < lines; index += 1) {
    if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  return lines;
});
`;

let folder: string;
const running: RunningTq[] = [];

// It may take longer than a test.
beforeAll(ensureBuilt);

beforeEach(async () => {
  folder = createFolderOfRun('prefork');
  await mkdir(join(folder, 'node_modules'));
  await symlink(projectFolder, join(folder, 'node_modules/taskq'));
  await writeFile(join(folder, 'tq.config.mjs'), CONFIG);
});

afterEach(async () => {
  for (const each of running.splice(0)) {
    each.signal('SIGKILL');
    await each.exit;
  }
});

const tq = async (...argv: string[]) => {
  const ran = await runTq([...argv, '--json'], { cwd: folder });
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  return ran.json() as Record<string, unknown>;
};

const call = async (task: string, ...args: unknown[]) =>
  (await tq('call', task, '--args', JSON.stringify(args))) as { id: string };

const readLines = async (file: string): Promise<string[]> =>
  (await readFile(join(folder, file), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

/** The child that runs the task `compute`, once it does. */
const untilComputing = () =>
  waitFor('the task to compute', async () => Number((await readLines('pids'))[0]) || undefined);

const letEnd = () => writeFile(join(folder, 'go'), '');

async function startWorker(...argv: string[]): Promise<RunningTq> {
  const worker = await startTq(['worker', '-n', 'tq@test', ...argv], { cwd: folder });
  running.push(worker);
  await worker.waitForLine('"message":"worker ready"');
  return worker;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a worker runs jobs in child processes, of an app that tq.config exports, and operators see their pids', async () => {
  const worker = await startWorker('-c', '2', '--max-tasks-per-child', '1000');
  expect(JSON.parse(await worker.waitForLine('"worker starting"'))).toMatchObject({ pool: 'prefork', concurrency: 2 });
  const { result: pid } = await tq('call', 'where', '--wait');
  const stats = await tq('inspect', 'stats');
  const { pids } = (stats as { workers: Record<string, { pids: number[] }> }).workers['tq@test'] ?? { pids: [] };
  expect(stats).toMatchObject({ workers: { 'tq@test': { pool: 'prefork', pid: worker.pid, concurrency: 2 } } });
  expect(pids).toHaveLength(2);
  expect(pids).toContain(pid);
  expect(pids).not.toContain(worker.pid);
  expect(await tq('inspect', 'conf')).toMatchObject({
    workers: {
      'tq@test': { pool: 'prefork', maxTasksPerChild: 1000, module: expect.stringMatching(/tq\.config\.mjs$/) },
    },
  });
  await call('compute');
  const computing = await untilComputing();
  expect(pids).toContain(computing);
  expect(await tq('inspect', 'active')).toMatchObject({
    workers: { 'tq@test': [{ task: 'compute', pid: computing }] },
  });
});

test('a worker that is stopped while its children compute lets them end', async () => {
  const worker = await startWorker('-c', '2');
  const { id } = await call('compute');
  const computing = await untilComputing();
  worker.signal('SIGTERM');
  await worker.waitForLine('stopping: no new jobs');
  expect(isAlive(computing)).toBe(true);
  await letEnd();
  expect(await worker.exit).toMatchObject({ exitCode: 0 });
  expect(await tq('result', id)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
});

test('a Ctrl-C, which a terminal sends to the whole process group, stops the worker and not its children', async () => {
  const node = spawn(process.execPath, [join(projectFolder, 'bin/tq'), 'worker', '-c', '1', '--json'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const pid = node.pid as number;
  recordStarted(pid, 'bin/tq');
  let log = '';
  node.stdout.on('data', (text: Buffer) => {
    log += text.toString();
  });
  const exited = once(node, 'exit');
  try {
    const { id } = await call('compute');
    const computing = await untilComputing();
    process.kill(-pid, 'SIGINT');
    await waitFor('the worker to stop', () => log.includes('stopping: no new jobs'));
    expect(isAlive(computing)).toBe(true);
    await letEnd();
    expect(await exited).toEqual([0, null]);
    expect(await tq('result', id)).toMatchObject({ state: 'SUCCESS', attempts: 1 });
  } finally {
    node.kill('SIGKILL');
    await exited;
    recordEnded(pid);
  }
});

test('a worker that is killed leaves no child, not even one that computes', async () => {
  const worker = await startWorker('-c', '1');
  await call('compute');
  const computing = await untilComputing();
  worker.signal('SIGKILL');
  await worker.exit;
  await waitFor('the child to be gone', () => !isAlive(computing));
});

test('children that are replaced after every job lose none', async () => {
  const words = Array.from({ length: 24 }, (_, index) => `word-${index}`);
  const send = `
    import { app } from './tq.config.mjs';
    await app.sendBulk('write', ${JSON.stringify(words.map((word) => [word]))});
    await app.close();`;
  await writeFile(join(folder, 'send.mjs'), send);
  const sender = spawn(process.execPath, ['send.mjs'], { cwd: folder, stdio: 'inherit' });
  expect(await once(sender, 'exit')).toEqual([0, null]);
  const worker = await startTq(['worker', '-c', '3', '--max-tasks-per-child', '1', '--burst'], { cwd: folder });
  running.push(worker);
  expect(await worker.exit).toMatchObject({ exitCode: 0 });
  expect((await readLines('words')).toSorted()).toEqual(words.toSorted());
});

test('a task that prints megabytes succeeds, and what it printed is in the log', async () => {
  const worker = await startWorker('-c', '1');
  expect(await tq('call', 'print', '--args', '[3000]', '--wait')).toMatchObject({ state: 'SUCCESS', result: 3000 });
  const printed = () => worker.stdout.split('\n').filter((line) => line.includes('"stream":"stdout"'));
  await waitFor('the output', () => printed().length === 3000);
  expect(JSON.parse(printed()[0] as string)).toMatchObject({ task_name: 'print', message: 'x'.repeat(1023) });
});

test('an app that makes a worker itself is refused, and says what to do', async () => {
  const app = `
    import { createApp } from 'taskq';
    export const app = createApp({ broker: 'sqlite:jobs.db' });
    const start = async () => void (await app.createWorker({ name: 'own' }));
    start();`;
  await writeFile(join(folder, 'own.mjs'), app);
  const { exitCode, stderr } = await runTq(['worker', '-A', 'own.mjs', '-c', '1', '-l', 'fatal'], { cwd: folder });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('[CHILD_FAILED]') });
  expect(stderr).toContain('a worker cannot be made in a child process of a worker');
  expect(stderr).toContain('make the worker in a file of its own');
});

test('an app that cannot be loaded in a child ends the worker with its error', async () => {
  const app = `
    import { createApp } from 'taskq';
    export const app = createApp({ broker: 'sqlite:jobs.db' });
    if (process.argv[2] === 'tq@test') throw new Error('no licence');`;
  await writeFile(join(folder, 'moody.mjs'), app);
  const ran = await runTq(['worker', '-A', 'moody.mjs', '-c', '1', '-n', 'tq@test', '-l', 'fatal'], { cwd: folder });
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no licence [APP_FAILED]') });
});
