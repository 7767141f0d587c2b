import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { parseDuration } from '../../engine/core/duration.ts';
import { flag, shape, text } from '../input-shape.ts';

/** A number is milliseconds like every duration; the lower bound catches one that was meant as days. */
const LEAST_AGE_MS = 1000;

const AGE = 'must be a duration of at least 1s: 30m, 24h, 7d (a number is milliseconds)';
const age = v.pipe(v.union([v.string(), v.number()], AGE), v.check(isAge, AGE));

const PATTERN = 'must be a glob relative to the folder, without "..": "*.log", "**/*.tmp"';
const glob = v.pipe(
  v.string(PATTERN),
  v.minLength(1, PATTERN),
  v.maxLength(500, PATTERN),
  v.check((pattern) => !isAbsolute(pattern) && !pattern.split(/[/\\]/).includes('..'), PATTERN),
);

const choice = {
  /**
   * Globs of paths below the folder; `*` does not cross a `/`, `**` does. Default every file. Names that start with a dot
   * are matched only by a pattern that writes the dot.
   */
  pattern: v.optional(
    v.union([glob, v.pipe(v.array(glob), v.minLength(1, PATTERN), v.maxLength(100))], PATTERN),
    '**/*',
  ),
  /** Says what would be removed, and removes nothing. */
  dryRun: v.optional(flag, false),
};

export const cleanupInput = shape({
  /** A folder inside the allowed root. Default the allowed root itself. */
  root: v.optional(text(4096)),
  /** Least time since the last change of a file. */
  olderThan: age,
  ...choice,
  /** Removes folders that have become empty, or are empty and as old. */
  removeEmptyFolders: v.optional(flag, false),
});

/** Everything has a default, so the task can be called without an argument. */
export const temporaryCleanupInput = v.optional(
  shape({ olderThan: v.optional(age, '24h'), ...choice, removeEmptyFolders: v.optional(flag, true) }),
  {},
);

export type CleanupInput = v.InferOutput<typeof cleanupInput>;

function isAge(value: string | number): boolean {
  try {
    return parseDuration(value, 'olderThan') >= LEAST_AGE_MS;
  } catch {
    return false;
  }
}
