import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../../support/build.ts';
import { projectFolder } from '../../support/project-folder.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../../support/tq-command.ts';

let worker: RunningTq | undefined;

beforeAll(ensureBuilt);

// A blocked event loop hears no other signal.
afterEach(async () => {
  worker?.signal('SIGKILL');
  await worker?.exit;
});

test('tq worker says which task blocks it for ever, beside its other lines', async () => {
  const folder = createFolderOfRun('project');
  const index = JSON.stringify(pathToFileURL(join(projectFolder, 'dist/index.js')).href);
  await writeFile(
    join(folder, 'app.mjs'),
    `import { createApp } from ${index};
     export const app = createApp({ broker: 'sqlite:jobs.db' });
     app.task('spin', function spin() { for (;;); });`,
  );
  worker = await startTq(['worker', '-A', 'app.mjs', '--pool', 'async', '--blocked-after', '300ms'], { cwd: folder });
  await worker.waitForLine('"message":"worker ready"');
  const { id } = (await runTq(['call', 'spin', '-A', 'app.mjs', '--json'], { cwd: folder })).json() as { id: string };
  const line = JSON.parse(await worker.waitForLine('event loop blocked'));
  expect(line).toMatchObject({ level: 'WARN', task_id: id, task_name: 'spin' });
  expect(line.frames[0]).toMatch(/^spin \(.*app\.mjs:3:\d+\)$/);
  expect(worker.stdout).toContain('event loop blocked');
});
