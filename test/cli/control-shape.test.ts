import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

const APP = `
import { existsSync } from 'node:fs';
import { createApp } from 'taskq';
export const app = createApp({ broker: 'sqlite:jobs.db', queues: ['first', 'second'], builtins: false });
app.task('where', () => process.pid);
app.task('block', () => { for (;;); });
app.task('hold', async () => {
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
});
`;

/** Each look is a process of its own. */
const PATIENT = { timeoutMs: 20_000, everyMs: 100 };

let folder: string;
let worker: RunningTq;
let scaled: RunningTq;

// One worker of each kind for all tests: each of them leaves it as it was.
beforeAll(async () => {
  await ensureBuilt();
  folder = createFolderOfRun('shape');
  await mkdir(join(folder, 'node_modules'));
  await symlink(projectFolder, join(folder, 'node_modules/taskq'));
  await writeFile(join(folder, 'app.mjs'), APP);
  const options = { cwd: folder };
  [worker, scaled] = await Promise.all([
    startTq(['worker', '-A', 'app.mjs', '-n', 'fixed', '-c', '1', '-Q', 'first'], options),
    startTq(['worker', '-A', 'app.mjs', '-n', 'scaled', '-P', 'async', '--autoscale', '3,2', '-Q', 'second'], options),
  ]);
  await Promise.all([worker, scaled].map((each) => each.waitForLine('"message":"worker ready"')));
});

afterAll(async () => {
  for (const each of [worker, scaled]) {
    each.signal('SIGTERM');
    expect(await each.exit).toMatchObject({ exitCode: 0 });
  }
});

async function tq(...argv: string[]) {
  const ran = await runTq([...argv, '-A', 'app.mjs', '--json'], { cwd: folder });
  return { exitCode: ran.exitCode, document: ran.json() as Record<string, unknown>, stderr: ran.stderr };
}

const control = (name: string, ...argv: string[]) => tq('control', ...argv, '-d', name);
const replyOf = (name: string, reply: unknown) => ({ workers: { [name]: reply }, silent: [] });

async function readStats(name: string) {
  const { document } = await tq('inspect', 'stats', '-d', name);
  return (document as { workers: Record<string, { pids: number[]; concurrency: number }> }).workers[name];
}

test('slots are added and taken away, with their child processes', async () => {
  expect(await control('fixed', 'pool-grow', '2')).toEqual({
    exitCode: 0,
    document: replyOf('fixed', { concurrency: 3 }),
    stderr: '',
  });
  await waitFor('three children', async () => (await readStats('fixed'))?.pids.length === 3, PATIENT);
  expect(await control('fixed', 'pool-shrink', '9')).toMatchObject({ document: replyOf('fixed', { concurrency: 1 }) });
  await waitFor('one child', async () => (await readStats('fixed'))?.pids.length === 1, PATIENT);
});

test('a worker grows by need', async () => {
  expect((await readStats('scaled'))?.concurrency).toBe(2);
  for (let job = 0; job < 3; job += 1) await tq('call', 'hold', '--queue', 'second');
  const hasThree = async () => (await readStats('scaled'))?.concurrency === 3;
  await waitFor('a third slot', hasThree, PATIENT);
  await writeFile(join(folder, 'go'), '');
});

test('a worker that changes its slots by need refuses to be told, and takes other bounds', async () => {
  expect(await control('scaled', 'pool-grow')).toMatchObject({
    exitCode: 1,
    document: replyOf('scaled', { error: { code: 'AUTOSCALE_ON', message: expect.any(String) } }),
  });
  const bounds = { concurrency: 4, max: 6, min: 4 };
  expect(await control('scaled', 'autoscale', '6', '4')).toMatchObject({ document: replyOf('scaled', bounds) });
  expect(await control('fixed', 'autoscale', '6', '4')).toMatchObject({
    exitCode: 1,
    document: replyOf('fixed', { error: { code: 'AUTOSCALE_OFF', message: expect.any(String) } }),
  });
  expect(await control('scaled', 'autoscale', '3', '2')).toMatchObject({ exitCode: 0 });
});

test('a worker serves a further queue, gives up its last one, and waits to be given one', async () => {
  const serve = (...argv: string[]) => control('fixed', ...argv);
  expect(await serve('cancel-consumer', 'first')).toMatchObject({
    document: replyOf('fixed', { queues: [], changed: true }),
  });
  expect(await serve('cancel-consumer', 'first')).toMatchObject({
    document: replyOf('fixed', { queues: [], changed: false }),
  });
  await tq('call', 'where', '--queue', 'first', '--id', 'left');
  expect(await tq('inspect', 'ping', '-d', 'fixed')).toMatchObject({ document: replyOf('fixed', 'pong') });
  expect(await serve('add-consumer', 'frist')).toMatchObject({
    exitCode: 1,
    document: replyOf('fixed', { error: { code: 'UNDECLARED_QUEUE', message: expect.stringContaining('first') } }),
  });
  expect((await tq('result', 'left')).document).toMatchObject({ state: 'PENDING' });
  expect(await serve('add-consumer', 'first')).toMatchObject({
    document: replyOf('fixed', { queues: ['first'], changed: true }),
  });
  expect((await tq('result', 'left', '--wait')).document).toMatchObject({ state: 'SUCCESS', worker: 'fixed' });
});

test('a limit that is given to a task holds for attempts that begin then', async () => {
  const limits = { task: 'block', softTimeLimitMs: null, timeLimitMs: 200 };
  expect(await control('fixed', 'time-limit', 'block', 'none', '200ms')).toMatchObject({
    document: replyOf('fixed', limits),
  });
  expect(await tq('call', 'block', '--queue', 'first', '--wait')).toMatchObject({
    exitCode: 1,
    document: { state: 'FAILURE', error: { code: 'TIME_LIMIT' } },
  });
  expect(await control('fixed', 'time-limit', 'blok', '1s', '2s')).toMatchObject({
    exitCode: 1,
    document: replyOf('fixed', { error: { code: 'UNKNOWN_TASK', message: expect.stringContaining('"block"') } }),
  });
});
