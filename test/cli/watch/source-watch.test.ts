import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SourceWatch, watchSources } from '../../../src/cli/watch/source-watch.ts';

let folder: string;
let watching: SourceWatch | undefined;
let heard: string[];
let hear: () => void;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tq-sources-')));
  heard = [];
  hear = () => {};
});

afterEach(() => {
  watching?.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), '');
}

function watchFolders(...roots: string[]): void {
  watching = watchSources(
    roots.map((root) => join(folder, root)),
    {
      onChange(path) {
        heard.push(relative(folder, path));
        hear();
      },
      onLimit: (reason) => heard.push(reason),
    },
  );
}

function heardOf(path: string): Promise<void> {
  return new Promise((resolve) => {
    hear = () => heard.includes(path) && resolve();
    hear();
  });
}

test('a source file that is changed, made, moved or removed is told, also deep below', async () => {
  write('app.ts');
  write('src/deep/task.mts');
  watchFolders('.');
  write('src/deep/task.mts');
  await heardOf('src/deep/task.mts');
  write('new.json');
  await heardOf('new.json');
  renameSync(join(folder, 'app.ts'), join(folder, 'src/moved.ts'));
  await heardOf('src/moved.ts');
  heard = [];
  rmSync(join(folder, 'new.json'));
  await heardOf('new.json');
});

test('a folder that is made later is watched, and told of if it holds sources by then', async () => {
  watchFolders('.');
  mkdirSync(join(folder, 'elsewhere'));
  write('lib/a/b.js');
  await heardOf('lib/a/b.js');
  heard = [];
  write('lib/a/c.js');
  await heardOf('lib/a/c.js');
  expect(heard).not.toContain('elsewhere');
});

test('a folder with sources that is removed is told', async () => {
  write('lib/a.js');
  watchFolders('.');
  rmSync(join(folder, 'lib'), { recursive: true });
  await heardOf('lib');
});

test('packages, outputs, folders of tools and other files are passed by', async () => {
  const ignored = [
    'node_modules/a.js',
    'dist/a.js',
    '.git/a.js',
    '.tq/a.json',
    'src/build/a.js',
    '.hidden.js',
    'a.log',
  ];
  for (const path of ignored) write(path);
  watchFolders('.');
  for (const path of ignored) write(path);
  write('src/coverage/late.js');
  write('last.js');
  await heardOf('last.js');
  expect(new Set(heard)).toEqual(new Set(['last.js']));
});

test('the folder of an app is watched even if it is one of outputs', async () => {
  write('dist/app.js');
  watchFolders('.', 'dist');
  write('dist/app.js');
  await heardOf('dist/app.js');
});
