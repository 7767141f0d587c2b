import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';

const INPUT = JSON.stringify({ to: 'ada@example.com', subject: 'Hi', text: 'Hello' });
const CALL = ['call', 'email.send', '--input', INPUT];

let folder: string;
let note: string;
const workers: RunningTq[] = [];

// It may take longer than a test.
beforeAll(ensureBuilt);

beforeEach(async () => {
  folder = await realpath(createFolderOfRun('project'));
  note = `no broker is named; using sqlite:${folder}/.tq/tq.db`;
});

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.signal('SIGKILL');
    await worker.exit;
  }
});

async function startWorker(cwd: string): Promise<RunningTq> {
  const worker = await startTq(['worker'], { cwd });
  workers.push(worker);
  await worker.waitForLine('"message":"worker ready"');
  return worker;
}

describe('in an empty folder, with no server', () => {
  test('a worker in one process runs what another calls, and a third reads the result', async () => {
    const worker = await startWorker(folder);
    const called = await runTq([...CALL, '--wait', '--json'], { cwd: folder });
    expect(called).toMatchObject({ exitCode: 0, stderr: note });
    const { id } = called.json() as { id: string };
    const result = await runTq(['result', id, '--json'], { cwd: folder });
    expect(result).toMatchObject({ exitCode: 0, stderr: note });
    expect(result.json()).toMatchObject({ id, task: 'email.send', queue: 'default', state: 'SUCCESS', attempts: 1 });
    expect(await readdir(join(folder, '.tq/outbox'))).toHaveLength(1);

    const queues = await runTq(['inspect', 'queues', '--json'], { cwd: folder });
    expect(queues.json()).toMatchObject([{ queue: 'default', completed: 1, consumers: 1 }, { queue: 'dead_letter' }]);
    worker.signal('SIGTERM');
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
  });

  test('the worker says in its log which file it serves', async () => {
    const worker = await startWorker(folder);
    const started = JSON.parse(await worker.waitForLine('"message":"worker starting"'));
    expect(started).toMatchObject({
      broker: `sqlite:${folder}/.tq/tq.db`,
      store: expect.stringMatching(/^SQLite 3\./),
    });
    expect(worker.stderr).toBe('');
  });

  test('a call that nobody runs yet is stored, and git does not see the file', async () => {
    expect(await runTq(CALL, { cwd: folder })).toMatchObject({ exitCode: 0, stderr: note });
    expect(await readdir(folder)).toEqual(['.tq']);
    expect(await readFile(join(folder, '.tq/.gitignore'), 'utf8')).toMatch(/^\*$/m);
    const worker = await startTq(['worker', '--burst'], { cwd: folder });
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
    expect(await readdir(join(folder, '.tq/outbox'))).toHaveLength(1);
  });

  test.each([
    [['inspect', 'queues'], 0],
    [['inspect', 'scheduled'], 0],
    [['jobs', 'show', 'x'], 3],
    [['result', 'x'], 3],
    [['purge', '--all', '--yes'], 0],
    [[...CALL, '--dry-run'], 0],
    [['migrate', '--dry-run'], 0],
  ])('%j says which broker it looks at, and makes no file', async (argv, exitCode) => {
    const ran = await runTq(argv, { cwd: folder });
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).toContain(note);
    expect(await readdir(folder)).toEqual([]);
  });

  test('what is looked at and not there is said; --quiet says nothing of either', async () => {
    const missing = `there is no ${folder}/.tq/tq.db yet; the first call or worker makes it`;
    expect((await runTq(['inspect', 'queues'], { cwd: folder })).stderr).toBe(`${note}\n${missing}`);
    expect(await runTq(['inspect', 'queues', '--quiet'], { cwd: folder })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await runTq([...CALL, '--quiet'], { cwd: folder })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('the names that a shell completes come from no file of their own', async () => {
    expect(await runTq(['__complete', 'queues'], { cwd: folder })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test('`tq migrate` makes the tables, and says that nobody has to', async () => {
    const migrated = await runTq(['migrate'], { cwd: folder });
    expect(migrated).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^created the schema, version \d+$/) });
    expect(migrated.stderr).toBe(`${note}\nSQLite makes and upgrades its tables by itself, whenever a file is opened`);
    const again = await runTq(['migrate', '--json'], { cwd: folder });
    expect(again.json()).toEqual({ from: 1, to: 1, results: null });
  });
});

describe('a broker that is named', () => {
  test.each([
    ['by a flag', ['--broker', 'sqlite:named.db'], {}],
    ['by the environment', [], { TQ_BROKER_URL: 'sqlite:named.db' }],
  ])('%s is used without a note', async (_, argv, env) => {
    expect(await runTq([...CALL, ...argv], { cwd: folder, env })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(join(folder, 'named.db'))).toBe(true);
    expect(existsSync(join(folder, '.tq'))).toBe(false);
  });

  test('by an app is used without a note', async () => {
    const app = `import { createApp } from 'taskq'; export const app = createApp({ broker: 'sqlite:of-app.db' });`;
    const project = await createProject({ 'app.mjs': app });
    const called = await runTq([...CALL, '-A', 'app.mjs'], { cwd: project });
    expect(called).toMatchObject({ exitCode: 0, stderr: '' });
    const looked = await runTq(['inspect', 'queues', '-A', 'app.mjs', '--json'], { cwd: project });
    expect(looked.stderr).toBe('');
    expect(looked.json()).toMatchObject([{ queue: 'default', waiting: 1 }, { queue: 'dead_letter' }]);
  });
});

describe('in a project with a tq.config', () => {
  test('commands and programs in any of its folders use the one file beside it', async () => {
    const project = await createProject({
      'tq.config.mjs': 'export default {};',
      'deep/send.mjs': `
        import { createApp } from 'taskq';
        const app = createApp();
        process.stdout.write((await app.send('email.send', [${INPUT}])).id);
        await app.close();`,
    });
    const cwd = join(project, 'deep');
    const id = await runNode('send.mjs', cwd);
    const worker = await startTq(['worker', '--burst'], { cwd });
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
    const result = await runTq(['result', id, '--json'], { cwd: project });
    expect(result.stderr).toBe(`no broker is named; using sqlite:${project}/.tq/tq.db`);
    expect(result.json()).toMatchObject({ id, state: 'SUCCESS' });
    expect(existsSync(join(cwd, '.tq', 'tq.db'))).toBe(false);
  });

  test('that names a file, the path is relative to it, for programs too', async () => {
    const project = await createProject({
      'tq.config.mjs': `export default { broker: 'sqlite:data/jobs.db' };`,
      'deep/send.mjs': `
        import { createApp } from 'taskq';
        const app = createApp();
        process.stdout.write((await app.broker()).url);
        await app.close();`,
    });
    expect(await runNode('send.mjs', join(project, 'deep'))).toBe(`sqlite:${project}/data/jobs.db`);
    expect(await runTq(CALL, { cwd: join(project, 'deep') })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(join(project, 'data/jobs.db'))).toBe(true);
  });
});

/** A folder with these files (path to text), in which the built package is installed. */
async function createProject(files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(join(folder, 'node_modules'));
  await symlink(projectFolder, join(folder, 'node_modules/taskq'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** Runs a program that uses the library, and gives what it wrote to stdout. */
async function runNode(file: string, cwd: string): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '' };
  const { stdout, stderr } = await execa(process.execPath, [file], { cwd, env, extendEnv: false });
  expect(stderr).toBe('');
  return stdout;
}
