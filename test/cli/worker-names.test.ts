import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { brokersUnderTest } from '../support/brokers.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';

const workers: RunningTq[] = [];

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.signal('SIGKILL');
    await worker.exit;
  }
});

async function startWorker(url: string, ...args: string[]): Promise<RunningTq> {
  const worker = await startTq(['worker', '--broker', url, ...args]);
  workers.push(worker);
  return worker;
}

async function startReadyWorker(url: string, ...args: string[]): Promise<RunningTq> {
  const worker = await startWorker(url, ...args);
  await worker.waitForLine('"message":"worker ready"');
  return worker;
}

describe.each(brokersUnderTest())('tq worker -n on $name', ({ createUrl }) => {
  test('a second worker of a name is refused, and %n gives each its own', { timeout: 90_000 }, async () => {
    const url = await createUrl();
    expect(await runTq(['migrate', '--broker', url])).toMatchObject({ exitCode: 0 });
    const first = await startReadyWorker(url, '-n', 'same');
    const second = await startWorker(url, '-n', 'same');
    expect(await second.exit).toMatchObject({ exitCode: 1 });
    expect(second.stderr).toContain(
      `the name "same" is taken by a live worker: process ${first.pid} on ${hostname()}, since `,
    );
    expect(second.stderr).toContain('[WORKER_NAME_TAKEN]');

    await Promise.all([startReadyWorker(url, '-n', 'w%n'), startReadyWorker(url, '-n', 'w%n')]);
    const ping = (): Promise<unknown> =>
      runTq(['inspect', 'ping', '--json', '--broker', url]).then((ran) => ran.json());
    expect(await ping()).toEqual({ workers: { same: 'pong', w1: 'pong', w2: 'pong' }, silent: [] });

    first.signal('SIGTERM');
    expect(await first.exit).toMatchObject({ exitCode: 0 });
    await startReadyWorker(url, '-n', 'same');
    expect(await ping()).toMatchObject({ workers: { same: 'pong' }, silent: [] });
  });
});

test('tq control call asks a worker for a command of its application', { timeout: 60_000 }, async () => {
  const folder = createFolderOfRun('app');
  const app = join(folder, 'app.mjs');
  const library = JSON.stringify(join(projectFolder, 'dist', 'index.js'));
  await writeFile(
    app,
    `import { createApp } from ${library};
    export const app = createApp({
      control: {
        'cache.clear': (args, worker) => ({ args, worker: worker.name }),
        broken: () => { throw new Error('no cache'); },
        date: () => ({ at: new Date() }),
        never: () => new Promise(() => {}),
      },
    });`,
  );
  const url = `sqlite:${join(folder, 'tq.db')}`;
  await startReadyWorker(url, '--app', app, '-n', 'one');
  const call = async (...args: string[]) => {
    const { exitCode, stderr, json } = await runTq(['control', 'call', ...args, '--json', '--broker', url]);
    return { exitCode, stderr, document: json() };
  };
  expect(await call('cache.clear', '--args', '{"deep":true}')).toEqual({
    exitCode: 0,
    stderr: '',
    document: { workers: { one: { args: { deep: true }, worker: 'one' } }, silent: [] },
  });
  expect(await call('broken')).toMatchObject({
    exitCode: 1,
    stderr: 'one: no cache',
    document: { workers: { one: { error: { code: 'INTERNAL', message: 'no cache' } } } },
  });
  expect(await call('date')).toMatchObject({
    exitCode: 1,
    document: { workers: { one: { error: { code: 'NOT_JSON' } } } },
  });
  expect(await call('cache.clera')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('did you mean "cache.clear"?'),
    document: { workers: { one: { error: { code: 'UNKNOWN_CONTROL' } } } },
  });
  expect(await call('never', '--timeout', '200ms')).toMatchObject({
    exitCode: 69,
    stderr: 'no answer from one',
    document: { workers: {}, silent: ['one'] },
  });
  expect(await call('cache.clear', '-d', 'one')).toMatchObject({ exitCode: 0 });
});
