import { posix } from 'node:path';
import type { Import, SourceFile } from './source-file.ts';

/**
 * The levels of the design, from the bottom up. A place may import itself and every place in a line above it here; places
 * of one line do not know each other. Folders that are not there yet hold their line for the day they come.
 */
export const levels: readonly (readonly string[])[] = [
  ['src/engine/core/'],
  ['src/engine/runtime/'],
  ['src/engine/config/'],
  ['src/engine/broker/'],
  ['src/engine/task/', 'src/engine/events/', 'src/engine/results/', 'src/engine/jobs/'],
  ['src/engine/canvas/', 'src/engine/deadletter/', 'src/engine/control/', 'src/engine/schedule/'],
  ['src/engine/worker/', 'src/engine/beat/'],
  ['src/tasks/'],
  ['src/engine/app/'],
  ['src/index.ts', 'src/sqlite.ts', 'src/testing.ts'],
  ['src/ops/'],
  ['src/cli/', 'src/ui/', 'src/web/'],
];

/** The built-in tasks are written as a user would write theirs: on the model of a task and nothing below it. */
const narrowed: Record<string, readonly string[]> = { 'src/tasks/': ['src/engine/core/', 'src/engine/task/'] };

/** The commands that open another face, which they load when they run. */
const doors = /^src\/cli\/commands\/(ui|web)(\/|\.ts$)/;

/** Imports that point up or sideways, and files that stand outside every level. */
export function findLayerFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const from = placeOf(file.path);
    if (from === undefined) return [`${file.path} is in no folder of the design; add its level to layers.ts`];
    return file.imports.flatMap((entry) => {
      const target = resolveImport(file.path, entry);
      if (target === undefined || (doors.test(file.path) && entry.dynamic)) return [];
      const to = placeOf(target);
      if (to !== undefined && isAllowed(from, to)) return [];
      return [`${file.path}:${entry.line} imports ${target}, which is not below ${from}`];
    });
  });
}

/** The path of the file that a relative import names; undefined for a package. */
export function resolveImport(path: string, { specifier }: Import): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
}

function placeOf(path: string): string | undefined {
  return levels.flat().find((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

function isAllowed(from: string, to: string): boolean {
  if (from === to) return true;
  const only = narrowed[from];
  return only ? only.includes(to) : levelOf(to) < levelOf(from);
}

function levelOf(place: string): number {
  return levels.findIndex((level) => level.includes(place));
}
