import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isInside, prepareOutput, readInside } from '../../src/tasks/allowed-root.ts';
import { writeAtomically } from '../../src/tasks/atomic-file.ts';
import { withTempDir } from '../support/temp-dir.ts';

const use = (path: string) => ({ doing: 'reading a test', path });
const refused = (reason: RegExp) =>
  expect.objectContaining({ code: 'FILE_REFUSED', message: expect.stringMatching(reason) });

/** A root with a file, and beside it a folder with a secret. */
function withRoot(test: (root: string, outside: string) => Promise<void>): Promise<void> {
  return withTempDir(async (folder) => {
    const base = await realpath(folder);
    const [root, outside] = [join(base, 'root'), join(base, 'root-outside')];
    await mkdir(join(root, 'sub'), { recursive: true });
    await mkdir(outside);
    await writeFile(join(root, 'sub', 'a.txt'), 'inside');
    await writeFile(join(outside, 'secret.txt'), 'secret');
    await test(root, outside);
  });
}

describe('readInside', () => {
  it('reads a file by a relative path, an absolute one, or one with .. that ends inside', () =>
    withRoot(async (root) => {
      for (const path of ['sub/a.txt', join(root, 'sub/a.txt'), 'sub/../sub/a.txt']) {
        const file = await readInside(root, use(path), 100);
        expect(file).toEqual({ path: 'sub/a.txt', bytes: Buffer.from('inside') });
      }
    }));

  it('refuses every way that leads outside', () =>
    withRoot(async (root, outside) => {
      await symlink(join(outside, 'secret.txt'), join(root, 'link.txt'));
      await symlink(outside, join(root, 'linked'));
      const ways = ['../root-outside/secret.txt', join(outside, 'secret.txt'), 'link.txt', 'linked/secret.txt', '..'];
      for (const path of ways) {
        await expect(readInside(root, use(path), 100)).rejects.toEqual(refused(/leads outside the allowed root/));
      }
    }));

  it('follows a link that stays inside', () =>
    withRoot(async (root) => {
      await symlink(join(root, 'sub'), join(root, 'same'));
      expect((await readInside(root, use('same/a.txt'), 100)).path).toBe('sub/a.txt');
    }));

  it('refuses what is absent, no regular file, or too large', () =>
    withRoot(async (root) => {
      await promisify(execFile)('mkfifo', [join(root, 'pipe')]);
      await symlink('loop', join(root, 'loop'));
      await expect(readInside(root, use('none'), 100)).rejects.toEqual(refused(/does not exist/));
      await expect(readInside(root, use('sub'), 100)).rejects.toEqual(refused(/not a regular file/));
      await expect(readInside(root, use('pipe'), 100)).rejects.toEqual(refused(/not a regular file/));
      await expect(readInside(root, use('loop'), 100)).rejects.toEqual(refused(/too many links/));
      await expect(readInside(root, use('sub/a.txt'), 5)).rejects.toEqual(refused(/has 6 bytes, the limit is 5/));
      await expect(readInside(root, use('sub/a.txt/b'), 5)).rejects.toEqual(refused(/not a folder/));
      await expect(readInside(root, use('a\0b'), 5)).rejects.toEqual(refused(/not a path/));
    }));

  it('shows control characters of a path instead of printing them', () =>
    withRoot(async (root) => {
      await expect(readInside(root, use('\u001b[2J'), 5)).rejects.toThrow(/\\x1b\[2J is refused/);
    }));
});

describe('prepareOutput and writeAtomically', () => {
  it('makes folders and leaves nothing but the file', () =>
    withRoot(async (root) => {
      await writeAtomically(await prepareOutput(root, use('new/deep/b.txt')), Buffer.from('b'));
      expect(await readFile(join(root, 'new/deep/b.txt'), 'utf8')).toBe('b');
      expect(await readdir(join(root, 'new/deep'))).toEqual(['b.txt']);
    }));

  it('refuses every way that leads outside, and makes no folder there', () =>
    withRoot(async (root, outside) => {
      await symlink(outside, join(root, 'linked'));
      await symlink(join(outside, 'missing'), join(root, 'dangling'));
      for (const path of ['../x.txt', join(outside, 'x.txt'), 'linked/x.txt', 'linked/new/x.txt', '.']) {
        await expect(prepareOutput(root, use(path))).rejects.toEqual(refused(/leads outside the allowed root/));
      }
      await expect(prepareOutput(root, use('dangling/x.txt'))).rejects.toEqual(refused(/does not exist/));
      expect(await readdir(outside)).toEqual(['secret.txt']);
    }));

  it('replaces a link by the file, and leaves alone what it led to', () =>
    withRoot(async (root, outside) => {
      await symlink(join(outside, 'secret.txt'), join(root, 'out.txt'));
      await writeAtomically(await prepareOutput(root, use('out.txt')), Buffer.from('new'));
      expect(await readFile(join(root, 'out.txt'), 'utf8')).toBe('new');
      expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('secret');
    }));

  it('refuses a folder in the place of the file', () =>
    withRoot(async (root) => {
      await expect(prepareOutput(root, use('sub'))).rejects.toEqual(refused(/it is a folder/));
      await expect(prepareOutput(root, use('sub/a.txt/b'))).rejects.toEqual(refused(/a part of its path is/));
    }));

  it('writes nothing when its folder was replaced by a link since it was checked', () =>
    withRoot(async (root, outside) => {
      const place = await prepareOutput(root, use('gone/x.txt'));
      await rm(join(root, 'gone'), { recursive: true });
      await symlink(outside, join(root, 'gone'));
      await expect(writeAtomically(place, Buffer.from('x'))).rejects.toEqual(refused(/moved meanwhile/));
      expect(await readdir(outside)).toEqual(['secret.txt']);
    }));
});

describe('isInside', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/b', true],
    ['/a', '/a/..b', true],
    ['/a', '/ab', false],
    ['/a', '/', false],
    ['/', '/a', true],
  ])('of %s and %s is %s', (root, path, inside) => {
    expect(isInside(root, path)).toBe(inside);
  });
});
