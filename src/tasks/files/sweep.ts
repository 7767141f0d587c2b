import type { Stats } from 'node:fs';
import { lstat, opendir, realpath, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createFindings, type Findings } from './findings.ts';

/*
 * A sweep walks one folder and removes old regular files.
 *
 * What it never does: follow a link, remove a link, a socket or a pipe, remove the folder itself, look at a folder that a
 * link has replaced. Paths can change under its hands, so right before a file is removed its folder is resolved again: it
 * must still be where the walk found it. One folder is open at a time and only its subfolders' names are kept, so a million
 * files need no more memory than ten.
 */

export interface Sweep {
  /** Real path. */
  readonly root: string;
  /** Files last changed at this instant (epoch milliseconds) or before are old. */
  readonly oldAt: number;
  /** Whether the pattern wants a file; its path is relative to the root, with `/`. */
  readonly isWanted: (path: string) => boolean;
  readonly dryRun: boolean;
  readonly removeEmptyFolders: boolean;
  readonly signal: AbortSignal | undefined;
  /** Told after each entry; decides itself how often to speak. */
  readonly onEntry: (findings: Findings) => Promise<void>;
}

/**
 * @returns what was removed, or would be
 * @throws the reason of the signal, between two files; an error of the root folder itself
 */
export async function sweep(order: Sweep): Promise<Findings> {
  const findings = createFindings();
  await sweepFolder('', order, findings);
  return findings;
}

interface FolderState {
  readonly isEmpty: boolean;
  /** Whether this sweep removed something from it. */
  readonly isTouched: boolean;
}

async function sweepFolder(folder: string, order: Sweep, findings: Findings): Promise<FolderState> {
  const subfolders: { path: string; stats: Stats }[] = [];
  let left = 0;
  let isTouched = false;
  await assertInPlace(folder, order);
  for await (const { name } of await opendir(join(order.root, folder))) {
    order.signal?.throwIfAborted();
    const path = folder === '' ? name : `${folder}/${name}`;
    const stats = await readStats(path, order, findings);
    if (stats === 'failed') left += 1;
    else if (stats?.isDirectory() === true) subfolders.push({ path, stats });
    else if (stats !== undefined && (await sweepFile(path, stats, { order, findings }))) isTouched = true;
    else if (stats !== undefined) left += 1;
    findings.scanned += 1;
    await order.onEntry(findings);
  }
  for (const subfolder of subfolders) {
    if (await sweepSubfolder(subfolder, order, findings)) isTouched = true;
    else left += 1;
  }
  return { isEmpty: left === 0, isTouched };
}

/** A subfolder that cannot be read is a failure of its own and not the end of the sweep. */
async function sweepSubfolder(
  { path, stats }: { path: string; stats: Stats },
  order: Sweep,
  findings: Findings,
): Promise<boolean> {
  try {
    const { isEmpty, isTouched } = await sweepFolder(path, order, findings);
    const isHidden = path.split('/').some((part) => part.startsWith('.'));
    const isDue = isTouched || (stats.mtimeMs <= order.oldAt && !isHidden);
    if (!order.removeEmptyFolders || !isEmpty || !isDue) return false;
    if (!order.dryRun) {
      await assertInPlace(path, order);
      await rmdir(join(order.root, path));
    }
    findings.folders += 1;
    return true;
  } catch (error) {
    order.signal?.throwIfAborted();
    // ENOTEMPTY: someone has just put a file there, which is no failure.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error))) findings.addFailure(path, codeOf(error));
    return false;
  }
}

/** @returns whether the file is gone now, or would be */
async function sweepFile(
  path: string,
  stats: Stats,
  { order, findings }: { order: Sweep; findings: Findings },
): Promise<boolean> {
  if (!stats.isFile() || stats.mtimeMs > order.oldAt || !order.isWanted(path)) return false;
  try {
    if (!order.dryRun) {
      await assertInPlace(parentOf(path), order);
      await unlink(join(order.root, path));
    }
    findings.addRemoved(path, stats.size);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    findings.addFailure(path, codeOf(error));
    return false;
  }
}

async function readStats(path: string, order: Sweep, findings: Findings): Promise<Stats | 'failed' | undefined> {
  try {
    return await lstat(join(order.root, path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    findings.addFailure(path, codeOf(error));
    return 'failed';
  }
}

/** The folder must be itself and not a link to somewhere else that was put in its place. */
async function assertInPlace(folder: string, order: Sweep): Promise<void> {
  const expected = join(order.root, folder);
  if ((await realpath(expected)) !== expected)
    throw Object.assign(new Error(`${expected} was moved`), { code: 'MOVED' });
}

function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end === -1 ? '' : path.slice(0, end);
}

function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' ? code : String(error);
}
