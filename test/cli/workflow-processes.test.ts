import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../src/engine/app/contract.ts';
import { createApp } from '../../src/engine/app/create-app.ts';
import { chain, chord, group } from '../../src/engine/canvas/constructs.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { runTq, startTq } from '../support/tq-command.ts';

/** `fail` fails until the file of its name is there; `hold` goes on until its signal aborts. */
const APP = `
  import { existsSync } from 'node:fs';
  import { context, createApp } from 'taskq';
  export const app = createApp({ builtins: false });
  app.task('say', (...words) => words.flat().join(' '));
  app.task('fail', (...words) => {
    const name = words.at(-1);
    if (!existsSync(name)) throw new TypeError('no ' + name);
    return name;
  });
  app.task('hold', async () => {
    await context().progress({ done: 340, total: 1000, note: 'holding' });
    const { signal } = context();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });`;

// It may take longer than a test.
beforeAll(ensureBuilt);

let cwd: string;
let app: App;
const stops: (() => unknown)[] = [];
beforeEach(async () => {
  cwd = createFolderOfRun('project');
  await mkdir(join(cwd, 'node_modules'));
  await symlink(projectFolder, join(cwd, 'node_modules', 'taskq'));
  await writeFile(join(cwd, 'app.mjs'), APP);
  app = createApp({ broker: `sqlite:${join(cwd, 'tq.db')}`, builtins: false }, { env: {} });
  stops.push(() => app.close());
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const tq = (...argv: string[]) => runTq([...argv, '--broker', `sqlite:${join(cwd, 'tq.db')}`], { cwd });

async function startWorker(): Promise<void> {
  const argv = ['worker', '-A', 'app.mjs', '-b', `sqlite:${join(cwd, 'tq.db')}`, '-P', 'async', '-c', '4'];
  const worker = await startTq(argv, { cwd });
  stops.push(async () => {
    worker.signal('SIGTERM');
    await worker.exit;
  });
}

const step = (name: string, ...args: string[]) => app.signature(name, args);

test('a workflow that failed is traced, retried as a whole, and ends', async () => {
  const header = group([chain(step('fail', 'late'), step('say', 'then')), step('say', 'b')]);
  const { id } = await chain(step('say', 'a'), chord(header, step('say', '!')), step('say', '?')).delay();
  await startWorker();
  expect(await tq('result', id, '--wait')).toMatchObject({ exitCode: 1 });
  const failed = await tq('trace', id);
  expect(failed.exitCode).toBe(1);
  expect(failed.stdout).toContain('error\tfail: TypeError: no late');
  expect(failed.stdout).toMatch(/\|- {2}\|- chain\tFAILURE|\| {2}\|- chain\tFAILURE/);
  expect(failed.stdout).toMatch(/^`- say\tBLOCKED/m);

  await writeFile(join(cwd, 'late'), '');
  expect((await tq('jobs', 'retry', id, '--dry-run')).stdout).toContain('would send 1 job back to work');
  expect(await tq('jobs', 'retry', id, '--yes')).toMatchObject({ exitCode: 0 });
  const ended = await tq('result', id, '--wait', '--json');
  expect(ended.json()).toMatchObject({ state: 'SUCCESS', result: 'late then a b ! ?' });
  const traced = await tq('trace', id, '--json');
  expect(traced.exitCode).toBe(0);
  expect(traced.json()).toMatchObject({ state: 'SUCCESS', progress: { done: 6, total: 6 }, tree: { kind: 'chain' } });
  expect((await tq('trace', id, '--mermaid')).stdout).toMatch(/^flowchart TD\n/);
});

test('a workflow that runs shows the progress of its steps, and is cancelled as a whole', async () => {
  const { id } = await chord(group([step('hold'), step('hold')]), step('say')).delay();
  await startWorker();
  await expect
    .poll(async () => (await tq('trace', id)).stdout, { timeout: 15_000 })
    .toMatch(/340\/1000 \(34 %\) holding/);
  const revoked = await tq('control', 'revoke', id, '--yes', '--json');
  expect(revoked.exitCode).toBe(0);
  const { jobs, workflows } = revoked.json() as { jobs: { happened: string }[]; workflows: string[] };
  expect(workflows).toEqual([id]);
  expect(jobs.map(({ happened }) => happened).toSorted()).toEqual([
    ...['aborted', 'aborted', 'never started', 'never started'],
  ]);
  expect(await tq('trace', id)).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('state\tREVOKED') });
});
