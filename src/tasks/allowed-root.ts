import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileRefusal, lastingFileError } from './refusal.ts';

/*
 * A task reads and writes only inside a folder that the app allows: its root. Paths come from jobs, so from anyone who can
 * reach the broker. What counts is where a path leads once every link is resolved, not how it is spelled: a `..`, an
 * absolute path or a link is fine as long as it ends inside.
 *
 * Between the check and the use a link could be swapped in by someone who can write to the root. The file is therefore
 * opened without following a link in its last place, and where its folder leads is asked once more after the fact.
 */

/** What a task was doing with a path, for the error. */
export interface PathUse {
  readonly doing: string;
  readonly path: string;
}

export interface FileInside {
  /** Relative to the root, with `/`: what a following task can be given. */
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Reads a whole regular file inside the root.
 *
 * @param limit most bytes that are read
 * @throws FILE_REFUSED when it is absent, outside, not a regular file or too large; Node's own error when that can pass
 */
export async function readInside(root: string, use: PathUse, limit: number): Promise<FileInside> {
  const place = await findInside(root, use);
  const handle = await openFile(place.real, use);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw fileRefusal({ ...use, reason: 'it is not a regular file' });
    if (stats.size > limit) {
      throw fileRefusal({ ...use, reason: `it has ${stats.size} bytes, the limit is ${limit}` });
    }
    if ((await realpath(place.real)) !== place.real) throw fileRefusal({ ...use, reason: 'it was moved meanwhile' });
    return { path: toPortable(relative(place.root, place.real)), bytes: await readAtMost(handle, limit, use) };
  } finally {
    await handle.close();
  }
}

/** The real path of something that exists inside the root, and that of the root. */
export async function findInside(root: string, use: PathUse): Promise<{ root: string; real: string }> {
  try {
    const realRoot = await realpath(root);
    const real = await realpath(resolve(realRoot, plainPath(use)));
    if (!isInside(realRoot, real)) throw outside(root, use);
    return { root: realRoot, real };
  } catch (error) {
    throw lastingFileError(error, use);
  }
}

export interface OutputPlace {
  readonly root: string;
  /** The real folder that the file goes into. */
  readonly folder: string;
  readonly name: string;
  readonly use: PathUse;
}

/**
 * Where a new file inside the root goes; its folders are made. A file in its place will be replaced, and so will a link,
 * by the file itself: what it led to stays as it is.
 *
 * @throws FILE_REFUSED when the path leads outside or names a folder
 */
export async function prepareOutput(root: string, use: PathUse): Promise<OutputPlace> {
  try {
    await mkdir(root, { recursive: true });
    const realRoot = await realpath(root);
    const wanted = resolve(realRoot, plainPath(use));
    const ancestor = await realpath(await findExisting(dirname(wanted)));
    if (wanted === realRoot || !isInside(realRoot, ancestor)) throw outside(root, use);
    await mkdir(dirname(wanted), { recursive: true });
    const folder = await realpath(dirname(wanted));
    if (!isInside(realRoot, folder)) throw outside(root, use);
    const name = basename(wanted);
    const there = await lstat(join(folder, name)).catch(() => undefined);
    if (there?.isDirectory() === true) throw fileRefusal({ ...use, reason: 'it is a folder' });
    return { root: realRoot, folder, name, use };
  } catch (error) {
    throw lastingFileError(error, use);
  }
}

/** Whether a real path is the real root or below it. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** A path with `/` on every system. */
export function toPortable(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}

/** The error for a path that leads out of its root. */
function outside(root: string, use: PathUse): Error {
  return fileRefusal({ ...use, reason: `it leads outside the allowed root ${root}` });
}

function plainPath(use: PathUse): string {
  if (use.path === '' || use.path.includes('\0')) throw fileRefusal({ ...use, reason: 'it is not a path' });
  return use.path;
}

/** O_NONBLOCK: opening a FIFO would else wait for a writer, and hold one of Node's few file threads as long. */
async function openFile(path: string, use: PathUse): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw lastingFileError(error, use);
  }
}

/** Reads no more than the limit even when the file grows while it is read. */
async function readAtMost(handle: FileHandle, limit: number, use: PathUse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false })) {
    total += (chunk as Buffer).length;
    if (total > limit) throw fileRefusal({ ...use, reason: `it has more than the limit of ${limit} bytes` });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, total);
}

async function findExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    // A dangling link is not absent: making folders through it would make them where it points to.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || (await isLink(path)) || dirname(path) === path)
      throw error;
    return findExisting(dirname(path));
  }
}

async function isLink(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isSymbolicLink() === true;
}
