import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writePidfile } from '../../src/cli/pidfile.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tq-pidfile-'));
  path = join(folder, 'run', 'tq.pid');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (): string => readFileSync(path, 'utf8');

/** The id of a process that lived once. */
async function findDeadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid as number;
}

test('a pidfile holds the id of the process, in a folder that is made for it, until it is removed', () => {
  const file = writePidfile(path);
  expect(read()).toBe(`${process.pid}\n`);
  file.remove();
  expect(existsSync(path)).toBe(false);
  file.remove();
});

test('one that names a process that lives is refused, and stays', () => {
  writePidfile(path).remove();
  writeFileSync(path, `${process.ppid}\n`);
  expect(() => writePidfile(path)).toThrow(
    expect.objectContaining({
      code: 'PIDFILE_REFUSED',
      message: `the pidfile ${path} is refused: it names process ${process.ppid}, which lives`,
    }),
  );
  expect(read()).toBe(`${process.ppid}\n`);
});

test.each([
  ['a process that is gone', findDeadPid],
  ['nothing', async () => ''],
  ['this process, whose id a dead one had', async () => process.pid],
])('one that names %s is replaced', async (_, content) => {
  writePidfile(path).remove();
  writeFileSync(path, String(await content()));
  writePidfile(path);
  expect(read()).toBe(`${process.pid}\n`);
});

test('a file that holds something else is left alone', () => {
  path = join(folder, 'app.ts');
  writeFileSync(path, 'export const app = 1;\n');
  expect(() => writePidfile(path)).toThrow('it holds something else than a process id');
  expect(read()).toBe('export const app = 1;\n');
});

test('a place where no file can be is refused with the reason of the system', () => {
  writeFileSync(join(folder, 'run'), '');
  expect(() => writePidfile(path)).toThrow(/the pidfile .* is refused: .*(EEXIST|ENOTDIR)/);
});

test('a file that another process has taken over meanwhile is not removed', () => {
  const file = writePidfile(path);
  writeFileSync(path, `${process.ppid}\n`);
  file.remove();
  expect(read()).toBe(`${process.ppid}\n`);
});
