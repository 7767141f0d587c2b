import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { BundleHeader } from './bundle-format.ts';
import { BundleReader } from './bundle-reader.ts';
import { UNFINISHED } from './bundle-writer.ts';

/** Where undo bundles lie, and for how long. */
export interface UndoPlace {
  /** Absolute. */
  readonly dir: string;
  /** Of all bundles together. */
  readonly maxBytes: number;
  readonly keepMs: number;
}

export interface BundleFile {
  /** Of the run that wrote it. */
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** When the run began, epoch ms. */
  readonly at: number;
  /** It has no end: it is being written, or its writer died. */
  readonly isUnfinished: boolean;
}

/** As run ids and bundles are named; what else lies in the folder is nobody's business. */
const NAME = /^(([0-9a-z]{8,9})-[0-9a-z]{4})\.ndjson\.gz(\.part)?$/;

export function bundlePath(dir: string, id: string): string {
  return join(dir, `${id}.ndjson.gz`);
}

/** The bundles of a folder, the oldest first; none when there is no such folder. */
export async function listBundles(dir: string): Promise<BundleFile[]> {
  const names = await readdir(dir).catch(() => []);
  const files = await Promise.all(names.map((name) => readBundleFile(dir, name)));
  return files.filter((file) => file !== undefined).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

/** The bundle of a run; undefined when it does not lie here. */
export async function findBundle(dir: string, id: string): Promise<BundleFile | undefined> {
  const name = `${id}.ndjson.gz`;
  return (await readBundleFile(dir, name)) ?? (await readBundleFile(dir, name + UNFINISHED));
}

async function readBundleFile(dir: string, name: string): Promise<BundleFile | undefined> {
  const [, id, time, part] = NAME.exec(name) ?? [];
  if (id === undefined || time === undefined) return undefined;
  const path = join(dir, name);
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  return { id, path, bytes: found.size, at: Number.parseInt(time, 36), isUnfinished: part !== undefined };
}

/** Removes the bundles that have been kept for long enough. @returns those that stay */
export async function removeExpired({ dir, keepMs }: UndoPlace, now: number): Promise<BundleFile[]> {
  const stay: BundleFile[] = [];
  for (const file of await listBundles(dir)) {
    if (file.at + keepMs > now || (await isBeingWritten(file, now))) stay.push(file);
    else await rm(file.path, { force: true });
  }
  return stay;
}

/**
 * Removes the oldest bundles until there is room for a piece of another one.
 *
 * @param wanted bytes that the folder is to have room for beside the bundles that stay
 * @returns those that were removed, and whether there is room now
 */
export async function makeRoom(
  { dir, maxBytes }: UndoPlace,
  { wanted, except, now }: { wanted: number; except: string; now: number },
): Promise<{ readonly removed: BundleFile[]; readonly isEnough: boolean }> {
  const others = (await listBundles(dir)).filter(({ id }) => id !== except);
  let held = others.reduce((sum, { bytes }) => sum + bytes, 0);
  const removable: BundleFile[] = [];
  for (const file of others) if (!(await isBeingWritten(file, now))) removable.push(file);
  const most = removable.reduce((sum, { bytes }) => sum + bytes, 0);
  // If it would not be enough, nobody loses a bundle for nothing.
  if (held - most + wanted > maxBytes) return { removed: [], isEnough: false };
  const removed: BundleFile[] = [];
  for (const file of removable) {
    if (held + wanted <= maxBytes) break;
    await rm(file.path, { force: true });
    held -= file.bytes;
    removed.push(file);
  }
  return { removed, isEnough: true };
}

const DAY_MS = 86_400_000;

/** An unfinished bundle whose writer lives; that of another machine, which cannot be asked, for a day after its last page. */
async function isBeingWritten({ path, isUnfinished }: BundleFile, now: number): Promise<boolean> {
  if (!isUnfinished) return false;
  const header = await new BundleReader(path).readHeader().catch(() => undefined);
  if (header?.host === hostname()) return lives(header);
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return mtimeMs + DAY_MS > now;
}

function lives({ pid }: BundleHeader): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
