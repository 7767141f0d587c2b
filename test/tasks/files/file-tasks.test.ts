import { renameSync, symlinkSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, realpath, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileTasks } from '../../../src/tasks/files/file-tasks.ts';
import { sweep } from '../../../src/tasks/files/sweep.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { createTestEnvironment, type RunOptions, runTask } from '../task-context.ts';

const NOW = Date.UTC(2026, 0, 31);
const DAY = 86_400_000;

interface Place {
  readonly tasks: ReturnType<typeof fileTasks>;
  /** The allowed root. */
  readonly root: string;
  readonly cwd: string;
  readonly list: () => Promise<string[]>;
}

function withFolder(test: (place: Place) => Promise<void>, environment = {}): Promise<void> {
  return withTempDir(async (folder) => {
    const cwd = await realpath(folder);
    const root = join(cwd, 'old');
    await mkdir(root);
    const tasks = fileTasks({ root: 'old' }, createTestEnvironment(cwd, { now: () => NOW, ...environment }));
    const list = () => listTree(root);
    await test({ tasks, root, cwd, list });
  });
}

/** Every path below a folder, in order; links are named and not followed. */
async function listTree(folder: string, prefix = ''): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const paths = entries.map(async (entry) => {
    const path = `${prefix}${entry.name}`;
    return entry.isDirectory() ? [path, ...(await listTree(join(folder, entry.name), `${path}/`))] : [path];
  });
  return (await Promise.all(paths)).flat().toSorted();
}

/** Makes files of an age in days; their size is the length of their name. */
async function makeFiles(root: string, files: Readonly<Record<string, number>>): Promise<void> {
  for (const [path, days] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), path);
    await setAge(join(root, path), days);
  }
}

function setAge(path: string, days: number): Promise<void> {
  const at = (NOW - days * DAY) / 1000;
  return utimes(path, at, at);
}

const refused = (reason: RegExp) =>
  expect.objectContaining({ code: 'FILE_REFUSED', message: expect.stringMatching(reason) });

describe('file.cleanup', () => {
  it('removes the files that are old enough, in every subfolder, and says which', () =>
    withFolder(async ({ tasks, root, list }) => {
      await makeFiles(root, { 'b.log': 8, 'a/c.log': 7, 'a/new.log': 6.99, 'future.log': -1 });
      expect(await runTask(tasks['file.cleanup'], { olderThan: '7d' })).toEqual({
        removed: 2,
        bytes: 'b.log'.length + 'a/c.log'.length,
        folders: 0,
        files: ['a/c.log', 'b.log'],
        failed: [],
        failures: 0,
        dryRun: false,
      });
      expect(await list()).toEqual(['a', 'a/new.log', 'future.log']);
    }));

  it('removes nothing in a dry run, and says the same', () =>
    withFolder(async ({ tasks, root, list }) => {
      await makeFiles(root, { 'a/b/c.log': 9, 'd.log': 9, 'a/new.log': 1 });
      const before = await list();
      const input = { olderThan: '7d', removeEmptyFolders: true };
      const plan = await runTask(tasks['file.cleanup'], { ...input, dryRun: true });
      expect(await list()).toEqual(before);
      expect(plan).toMatchObject({ removed: 2, folders: 1, files: ['a/b/c.log', 'd.log'], dryRun: true });
      expect(await runTask(tasks['file.cleanup'], input)).toEqual({ ...plan, dryRun: false });
      expect(await list()).toEqual(['a', 'a/new.log']);
    }));

  it.each<[string | string[], string[]]>([
    ['*.log', ['a.log']],
    ['**/*.log', ['a.log', 's/b.log']],
    ['s/*', ['s/b.log', 's/c.tmp']],
    ['*', ['a.log', 'd.tmp']],
    [
      ['**/*.tmp', 's/b.*'],
      ['d.tmp', 's/b.log', 's/c.tmp'],
    ],
    ['.*', ['.env']],
    ['**/.*', ['.env', 's/.keep']],
    ['.git/**', ['.git/head']],
    ['!a.log', []],
    ['none', []],
  ])('of the pattern %j removes %j', (pattern, files) =>
    withFolder(async ({ tasks, root }) => {
      await makeFiles(root, {
        'a.log': 9,
        'd.tmp': 9,
        's/b.log': 9,
        's/c.tmp': 9,
        '.env': 9,
        's/.keep': 9,
        '.git/head': 9,
      });
      expect((await runTask(tasks['file.cleanup'], { olderThan: '1d', pattern })).files).toEqual(files);
    }),
  );

  it('leaves hidden files and folders alone without a pattern that says so', () =>
    withFolder(async ({ tasks, root, list }) => {
      await makeFiles(root, { '.env': 9, '.git/head': 9, 's/.keep': 9, 's/x': 9 });
      await runTask(tasks['file.cleanup'], { olderThan: '1d', removeEmptyFolders: true });
      expect(await list()).toEqual(['.env', '.git', '.git/head', 's', 's/.keep']);
    }));

  it('neither follows nor removes links', () =>
    withFolder(async ({ tasks, root, cwd, list }) => {
      await makeFiles(cwd, { 'outside/precious.txt': 99 });
      await makeFiles(root, { 'a.txt': 9 });
      await symlink(join(cwd, 'outside'), join(root, 'folder-link'));
      await symlink(join(cwd, 'outside/precious.txt'), join(root, 'file-link'));
      const result = await runTask(tasks['file.cleanup'], { olderThan: '1s', pattern: '**', removeEmptyFolders: true });
      expect(result).toMatchObject({ removed: 1, files: ['a.txt'], failures: 0 });
      expect(await list()).toEqual(['file-link', 'folder-link']);
      expect(await readFile(join(cwd, 'outside/precious.txt'), 'utf8')).toBe('outside/precious.txt');
    }));

  it('removes nothing where a link takes the place of a folder during the sweep', () =>
    withFolder(async ({ root, cwd, list }) => {
      await makeFiles(cwd, { 'outside/x.txt': 99 });
      await makeFiles(root, { 'sub/x.txt': 9 });
      const findings = await sweep({
        root,
        oldAt: NOW - DAY,
        dryRun: false,
        removeEmptyFolders: true,
        signal: undefined,
        onEntry: async () => undefined,
        // Asked after the file was looked at and before it is removed: the moment that an attacker would choose.
        isWanted: () => {
          renameSync(join(root, 'sub'), join(root, 'moved'));
          symlinkSync(join(cwd, 'outside'), join(root, 'sub'));
          return true;
        },
      });
      expect(findings.listFailures()).toEqual([{ path: 'sub/x.txt', reason: 'MOVED' }]);
      expect(findings).toMatchObject({ removed: 0, folders: 0 });
      expect(await list()).toEqual(['moved', 'moved/x.txt', 'sub']);
      expect(await readdir(join(cwd, 'outside'))).toEqual(['x.txt']);
    }));

  it('removes folders that have become empty or are empty and old, and never the root', () =>
    withFolder(async ({ tasks, root, list }) => {
      await makeFiles(root, { 'a/b/c/x': 9, 'a/b/y': 9, 'keep/new': 0 });
      await mkdir(join(root, 'empty-old'));
      await setAge(join(root, 'empty-old'), 9);
      await mkdir(join(root, 'empty-new'));
      await setAge(join(root, 'empty-new'), 0);
      const result = await runTask(tasks['file.cleanup'], { olderThan: '1d', removeEmptyFolders: true });
      expect(result).toMatchObject({ removed: 2, folders: 4, failures: 0 });
      expect(await list()).toEqual(['empty-new', 'keep', 'keep/new']);
      await rm(join(root, 'keep'), { recursive: true });
      await rm(join(root, 'empty-new'), { recursive: true });
      await setAge(root, 9);
      await runTask(tasks['file.cleanup'], { olderThan: '1d', removeEmptyFolders: true });
      expect((await lstat(root)).isDirectory()).toBe(true);
    }));

  it('cleans up a folder inside the allowed root when one is named, and no other', () =>
    withFolder(async ({ tasks, root, cwd, list }) => {
      await makeFiles(root, { 'logs/a.log': 9, 'b.log': 9 });
      await makeFiles(cwd, { 'outside/x': 9 });
      await symlink(join(cwd, 'outside'), join(root, 'linked'));
      const run = (folder: string) => runTask(tasks['file.cleanup'], { olderThan: '1d', root: folder });
      for (const folder of ['..', '../outside', cwd, '/', 'linked']) {
        await expect(run(folder)).rejects.toEqual(refused(/leads outside the allowed root/));
      }
      await expect(run('none')).rejects.toEqual(refused(/does not exist/));
      await expect(run('b.log')).rejects.toEqual(refused(/not a folder/));
      expect(await run('logs')).toMatchObject({ removed: 1, files: ['a.log'] });
      expect(await list()).toEqual(['b.log', 'linked', 'logs']);
    }));

  it('deletes only below .tq/files when the app allows no other root', () =>
    withTempDir(async (cwd) => {
      await makeFiles(cwd, { 'precious.txt': 99, '.tq/tq.db': 99 });
      const tasks = fileTasks({}, createTestEnvironment(cwd, { now: () => NOW }));
      const input = { olderThan: '1d', pattern: ['**', '**/.*'] };
      expect(await runTask(tasks['file.cleanup'], input)).toMatchObject({ removed: 0 });
      await makeFiles(cwd, { '.tq/files/x': 9 });
      expect(await runTask(tasks['file.cleanup'], input)).toMatchObject({ files: ['x'] });
      expect((await readdir(cwd)).toSorted()).toEqual(['.tq', 'precious.txt']);
    }));

  it('names what it could not remove, and goes on', () =>
    withFolder(async ({ tasks, root }) => {
      await makeFiles(root, { 'a/locked': 9, 'b/open': 9 });
      await chmod(join(root, 'a'), 0o500);
      const result = await runTask(tasks['file.cleanup'], { olderThan: '1d' });
      await chmod(join(root, 'a'), 0o700);
      // The super-user may remove everything.
      const locked = process.getuid?.() !== 0;
      expect(result.failed).toEqual(locked ? [{ path: 'a/locked', reason: 'EACCES' }] : []);
      expect(result.files).toContain('b/open');
      expect(result.removed + result.failures).toBe(2);
    }));

  it('names at most the first hundred files, and counts all', () =>
    withFolder(async ({ tasks, root }) => {
      const names = Array.from({ length: 1100 }, (_, n) => `f${String(n).padStart(4, '0')}`);
      await makeFiles(root, Object.fromEntries(names.map((name) => [name, 9])));
      const result = await runTask(tasks['file.cleanup'], { olderThan: '1d' });
      expect(result.removed).toBe(1100);
      expect(result.files).toEqual(names.slice(0, 100));
    }));

  it('stops between two files when its job is aborted, and reports its progress once a second', () => {
    let at = NOW;
    return withFolder(
      async ({ tasks, root, list }) => {
        await makeFiles(root, { a: 9, b: 9, c: 9, d: 9, e: 9, f: 9 });
        const abort = new AbortController();
        const reason = new Error('the worker stops');
        const progress: unknown[] = [];
        const run: RunOptions = {
          signal: abort.signal,
          onProgress: (value) => {
            progress.push(value);
            if (progress.length === 2) abort.abort(reason);
          },
        };
        await expect(runTask(tasks['file.cleanup'], { olderThan: '1d' }, run)).rejects.toBe(reason);
        expect(progress).toEqual([
          { scanned: 2, removed: 2, bytes: 2 },
          { scanned: 4, removed: 4, bytes: 4 },
        ]);
        expect(await list()).toHaveLength(2);
      },
      { now: () => (at += 500) },
    );
  });

  it.each<[object, string]>([
    [{}, 'olderThan is missing'],
    [{ olderThan: 7 }, 'at least 1s'],
    [{ olderThan: '0s' }, 'at least 1s'],
    [{ olderThan: '-1d' }, 'must be a duration'],
    [{ olderThan: 'soon' }, 'must be a duration'],
    [{ olderThan: '1d', pattern: '../*' }, 'pattern must be a glob'],
    [{ olderThan: '1d', pattern: '/etc/*' }, 'pattern must be a glob'],
    [{ olderThan: '1d', pattern: [] }, 'pattern must be a glob'],
    [{ olderThan: '1d', dry: true }, 'dry is not known here'],
    [{ olderThan: '1d', dryRun: 'yes' }, 'dryRun must be true or false'],
  ])('refuses %j at the call', (input, message) =>
    withFolder(async ({ tasks }) => {
      await expect(runTask(tasks['file.cleanup'], input as never)).rejects.toThrow(message);
    }),
  );
});

describe('file.cleanup-temporary', () => {
  it('removes files older than a day from .tq/tmp, and empty folders, without being told anything', () =>
    withTempDir(async (cwd) => {
      const tasks = fileTasks({}, createTestEnvironment(cwd, { now: () => NOW }));
      expect(await runTask(tasks['file.cleanup-temporary'], undefined)).toMatchObject({ removed: 0 });
      await makeFiles(cwd, { '.tq/tmp/a/old': 1, '.tq/tmp/new': 0.9, 'precious.txt': 9 });
      expect(await runTask(tasks['file.cleanup-temporary'], {})).toMatchObject({ files: ['a/old'], folders: 1 });
      expect(await readdir(join(cwd, '.tq/tmp'))).toEqual(['new']);
    }));

  it('takes another folder from the app, and age, pattern and dry run from the call, but no folder', () =>
    withTempDir(async (cwd) => {
      const tasks = fileTasks({ temporaryRoot: 'scratch' }, createTestEnvironment(cwd, { now: () => NOW }));
      await makeFiles(cwd, { 'scratch/a.tmp': 0.5, 'scratch/b.txt': 0.5 });
      const result = await runTask(tasks['file.cleanup-temporary'], {
        olderThan: '1h',
        pattern: '*.tmp',
        dryRun: true,
      });
      expect(result).toMatchObject({ files: ['a.tmp'], dryRun: true });
      const elsewhere = runTask(tasks['file.cleanup-temporary'], { root: '/' } as never);
      await expect(elsewhere).rejects.toThrow('root is not known here');
    }));
});
