import { type Dirent, type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs';
import { extname, join, sep } from 'node:path';

export interface SourceWatch {
  close(): void;
}

export interface SourceWatchOptions {
  /** A source file was made, changed, moved or removed. Several events of one change call it several times. */
  readonly onChange: (path: string) => void;
  /** Some folders are not watched: the system has no more watches to give, or there are too many of them. Said once. */
  readonly onLimit: (reason: string) => void;
}

const SOURCES = new Set(['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.jsx', '.json']);
/** Beside every folder whose name begins with a dot. */
const IGNORED = new Set(['node_modules', 'dist', 'build', 'out', 'coverage', 'tmp', 'temp', 'logs']);
/** A folder is one watch of the system. Whoever starts in a home folder must not use up all of them. */
const MAX_FOLDERS = 5000;

/**
 * Watches the source files of folders and of all folders below them, those of packages, outputs and tools left out. A root is
 * watched whatever its name is: an app that lies in `dist` is one.
 *
 * One watch a folder, because the recursive one of Node leaves nothing out.
 */
export function watchSources(roots: readonly string[], { onChange, onLimit }: SourceWatchOptions): SourceWatch {
  const watchers = new Map<string, FSWatcher>();
  let isLimitSaid = false;
  const sayLimit = (reason: string): void => {
    if (!isLimitSaid) onLimit(reason);
    isLimitSaid = true;
  };

  const unwatch = (folder: string): void => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(folder + sep)) continue;
      watcher.close();
      watchers.delete(path);
    }
  };

  /** Gives the first source file that it comes upon: in a new folder there may be some before it is watched. */
  const watchFolder = (folder: string): string | undefined => {
    if (watchers.has(folder)) return undefined;
    if (watchers.size >= MAX_FOLDERS) {
      sayLimit(`there are more than ${MAX_FOLDERS} folders`);
      return undefined;
    }
    try {
      const watcher = watch(folder, (_, name) => hear(folder, name));
      watcher.on('error', () => unwatch(folder));
      watchers.set(folder, watcher);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EMFILE') sayLimit('the system has no more watches to give');
      return undefined;
    }
    let source: string | undefined;
    for (const entry of listEntries(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !isIgnored(entry.name)) source = watchFolder(path) ?? source;
      else if (entry.isFile() && isSource(entry.name)) source = path;
    }
    return source;
  };

  const hear = (folder: string, name: string | null): void => {
    const path = join(folder, name ?? '');
    if (name === null || isSource(name)) onChange(path);
    else if (isIgnored(name)) return;
    else if (isFolder(path)) {
      const source = watchFolder(path);
      if (source !== undefined) onChange(source);
    } else if (watchers.has(path)) {
      unwatch(path);
      onChange(path);
    }
  };

  for (const root of roots) watchFolder(root);
  return {
    close() {
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

function isSource(name: string): boolean {
  return !name.startsWith('.') && SOURCES.has(extname(name));
}

function isIgnored(name: string): boolean {
  return name.startsWith('.') || IGNORED.has(name);
}

/** A link is followed nowhere: it may lead to where it lies. */
function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** None of a folder that has gone meanwhile, or may not be read. */
function listEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
