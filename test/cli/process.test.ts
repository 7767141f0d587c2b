import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa, type Options } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tq-process-'));
  const source = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src', path)).href);
  await writeFile(join(folder, 'tq.mjs'), `import { main } from ${source('cli/main.ts')};\nawait main();\n`);
  await writeFile(
    join(folder, 'app.mjs'),
    `import { createApp } from ${source('engine/app/create-app.ts')};
     export const app = createApp();
     app.task('mine', () => 1);
     setInterval(() => undefined, 1000); // as a connection that the application never closes`,
  );
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const tq = (argv: string[], options: Options = {}) =>
  execa(process.execPath, [join(folder, 'tq.mjs'), ...argv], { cwd: folder, reject: false, ...options });

test('a reader that has seen enough ends tq quietly', async () => {
  const running = tq(['completion', 'bash']);
  running.stdout?.destroy();
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('an app with connections of its own does not keep a finished command alive', async () => {
  const { exitCode, stdout } = await tq(['__complete', 'tasks', '--app', 'app.mjs']);
  expect(exitCode).toBe(0);
  expect(String(stdout).split('\n')).toContain('mine');
});

test('the exit code of the process is that of the command, and output in a pipe is complete', async () => {
  expect(await tq(['prge'])).toMatchObject({ exitCode: 2, stdout: '' });
  const { exitCode, stdout } = await tq(['completion', 'zsh']);
  expect(exitCode).toBe(0);
  expect(String(stdout).trimEnd().endsWith('_tq "$@"')).toBe(true);
});
