import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ensureBuilt } from '../../support/build.ts';
import { projectFolder } from '../../support/project-folder.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../../support/tq-command.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: string;
let running: RunningTq | undefined;

beforeAll(ensureBuilt);

beforeEach(async () => {
  folder = createFolderOfRun('project');
  await writeApp('1');
});

/** The worker leads a process group of its own, and ends with the signal that its supervisor passes on. */
afterEach(async () => {
  running?.signal('SIGQUIT');
  await running?.exit;
  running = undefined;
});

/** An app that says its version when it is loaded; its task ends when a file is there. */
async function writeApp(version: string): Promise<void> {
  const index = JSON.stringify(pathToFileURL(join(projectFolder, 'dist/index.js')).href);
  await writeFile(
    join(folder, 'app.mjs'),
    `import { existsSync } from 'node:fs';
     import { setTimeout as wait } from 'node:timers/promises';
     import { createApp } from ${index};
     const hooks = { workerStart: () => void process.stdout.write('version ${version}\\n') };
     export const app = createApp({ broker: 'sqlite:jobs.db', hooks });
     app.task('long', async () => { while (!existsSync('end')) await wait(10); });`,
  );
}

async function start(args: readonly string[] = ['--watch'], env: Record<string, string> = {}): Promise<RunningTq> {
  running = await startTq(['worker', '-A', 'app.mjs', ...args], { cwd: folder, env });
  return running;
}

/** How often the log has a line with this text. */
function count(tq: RunningTq, text: string): number {
  return tq.stdout.split('\n').filter((line) => line.includes(text)).length;
}

async function untilReady(tq: RunningTq, times: number): Promise<void> {
  await waitFor(`worker ${times} to be ready`, () => count(tq, '"message":"worker ready"') >= times, {
    detail: () => `${tq.stdout}\n${tq.stderr}`,
  });
}

function findPid(tq: RunningTq): number {
  const line = tq.stdout.split('\n').findLast((text) => text.includes('"message":"worker starting"'));
  return JSON.parse(line ?? '{}').pid as number;
}

test('a change of a source restarts the worker with the new code, after its running job has ended', async () => {
  const tq = await start();
  await untilReady(tq, 1);
  expect(count(tq, 'version 1')).toBe(1);
  const { id } = (await runTq(['call', 'long', '-A', 'app.mjs', '--json'], { cwd: folder })).json() as { id: string };
  await waitFor('the job to run', async () => {
    const result = await runTq(['inspect', 'queues', '-A', 'app.mjs', '--json'], { cwd: folder });
    return (result.json() as { active: number }[])[0]?.active === 1;
  });
  await writeApp('2');
  await tq.waitForLine('watch: app.mjs changed: restarting');
  await tq.waitForLine('stopping: no new jobs');
  // Changed once more while it stops: what starts next is the last one.
  await writeApp('3');
  await writeFile(join(folder, 'end'), '');
  await untilReady(tq, 2);
  await waitFor('the last version', () => count(tq, 'version 3') > 0);
  const result = await runTq(['result', id, '-A', 'app.mjs', '--json'], { cwd: folder });
  expect(result.json()).toMatchObject({ state: 'SUCCESS', attempts: 1 });
});

test('a worker that cannot start waits for the next change', async () => {
  await writeFile(join(folder, 'app.mjs'), 'export const app = ;');
  const tq = await start();
  await tq.waitForLine('watch: the worker has ended with exit code 1; waiting for a change');
  await writeApp('2');
  await untilReady(tq, 1);
  expect(count(tq, 'version 2')).toBe(1);
});

test('packages and files of tools restart nothing', async () => {
  const tq = await start([], { TQ_WATCH: 'true' });
  await untilReady(tq, 1);
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await writeFile(join(folder, 'node_modules/a.js'), '');
  await writeFile(join(folder, '.tq.js'), '');
  await writeFile(join(folder, 'other.js'), '');
  await untilReady(tq, 2);
  expect(tq.stderr.split('\n').filter((line) => line.includes('changed'))).toEqual([
    expect.stringContaining('other.js changed'),
  ]);
});

test('Ctrl-C stops the worker gracefully and ends with its exit code', async () => {
  const tq = await start();
  await untilReady(tq, 1);
  const pid = findPid(tq);
  expect(pid).not.toBe(tq.pid);
  tq.signal('SIGINT');
  expect(await tq.exit).toMatchObject({ exitCode: 0 });
  expect(count(tq, '"message":"worker stopped"')).toBe(1);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('the second signal stops it at once, and hands its job back', async () => {
  const tq = await start();
  await untilReady(tq, 1);
  await runTq(['call', 'long', '-A', 'app.mjs'], { cwd: folder });
  await waitFor('the job to run', async () => {
    const result = await runTq(['inspect', 'queues', '-A', 'app.mjs', '--json'], { cwd: folder });
    return (result.json() as { active: number }[])[0]?.active === 1;
  });
  tq.signal('SIGINT');
  await tq.waitForLine('stopping: no new jobs');
  tq.signal('SIGINT');
  expect(await tq.exit).toMatchObject({ exitCode: 1 });
});
