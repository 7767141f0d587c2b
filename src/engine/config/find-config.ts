import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** In the order they are looked for; the first one of a folder counts. */
const CONFIG_FILES = ['tq.config.ts', 'tq.config.js', 'tq.config.mjs'] as const;

/**
 * The config file of a folder: its own, or that of the nearest folder above it that has one.
 *
 * @returns its absolute path, undefined when there is none up to the root of the file system
 */
export async function findConfig(cwd: string): Promise<string | undefined> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    for (const name of CONFIG_FILES) {
      if (await isFile(join(folder, name))) return join(folder, name);
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/** False as well for what cannot be looked at: a folder above that is closed to us holds no config of ours. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
