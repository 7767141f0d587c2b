import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseDuration } from '../../engine/core/duration.ts';
import type { RetryOptions } from '../../engine/core/retry-policy.ts';
import { currentContext } from '../../engine/task/context.ts';
import { defineTask } from '../../engine/task/definition.ts';
import { findInside } from '../allowed-root.ts';
import type { BuiltinEnvironment, FileOptions } from '../builtin-options.ts';
import { isRefusal, lastingFileError } from '../refusal.ts';
import { type CleanupInput, cleanupInput, temporaryCleanupInput } from './cleanup-input.ts';
import { createFindings, type Findings, type SweepFailure } from './findings.ts';
import { type Sweep, sweep } from './sweep.ts';

export interface CleanupResult {
  /** Files removed, or that would be. */
  readonly removed: number;
  /** Their size in bytes. */
  readonly bytes: number;
  /** Folders removed, or that would be. */
  readonly folders: number;
  /** The first 100 of the files in alphabetical order, relative to the folder, with `/`. */
  readonly files: string[];
  /** Files and folders that could not be removed: the first 100. They do not fail the job; the next run meets them again. */
  readonly failed: SweepFailure[];
  /** All of them. */
  readonly failures: number;
  readonly dryRun: boolean;
}

const RETRY: RetryOptions = { max: 3, delay: '5s', maxDelay: '1m', except: isRefusal };

/** The tasks on files, set up for one app. */
export function fileTasks(options: FileOptions, environment: BuiltinEnvironment) {
  const root = resolve(environment.cwd, options.root ?? '.tq/files');
  const temporaryRoot = resolve(environment.cwd, options.temporaryRoot ?? '.tq/tmp');
  const now = environment.now ?? Date.now;
  return {
    'file.cleanup': defineTask(
      'file.cleanup',
      { input: cleanupInput, retry: RETRY, description: 'Removes old files of a folder.' },
      (input) => cleanUp(input, root, now),
    ),
    'file.cleanup-temporary': defineTask(
      'file.cleanup-temporary',
      { input: temporaryCleanupInput, retry: RETRY, description: 'Removes old files of the temporary folder.' },
      (input) => cleanUp(input, temporaryRoot, now),
    ),
  };
}

async function cleanUp(input: CleanupInput, allowedRoot: string, now: () => number): Promise<CleanupResult> {
  const use = { doing: 'cleaning up a folder', path: input.root ?? allowedRoot };
  const root = await findRoot(input.root, allowedRoot);
  if (root === undefined) return toResult(createFindings(), input.dryRun);
  const { default: picomatch } = await import('picomatch');
  const order: Sweep = {
    root,
    oldAt: now() - parseDuration(input.olderThan, 'olderThan'),
    // A leading "!" would turn the pattern round, and remove everything but what it names.
    isWanted: picomatch(input.pattern, { nonegate: true }),
    dryRun: input.dryRun,
    removeEmptyFolders: input.removeEmptyFolders,
    signal: currentContext()?.signal,
    onEntry: createReporter(now),
  };
  try {
    return toResult(await sweep(order), input.dryRun);
  } catch (error) {
    throw lastingFileError(error, use);
  }
}

/** A folder that the call names must be there; the allowed root may not have been made yet, and is then as good as empty. */
async function findRoot(named: string | undefined, allowedRoot: string): Promise<string | undefined> {
  if (named === undefined) {
    return realpath(allowedRoot).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  }
  const place = await findInside(allowedRoot, { doing: 'cleaning up a folder', path: named });
  return place.real;
}

const REPORT_EVERY_MS = 1000;

function createReporter(now: () => number): (findings: Findings) => Promise<void> {
  let nextAt = now() + REPORT_EVERY_MS;
  return async ({ scanned, removed, bytes }) => {
    const at = now();
    if (at < nextAt) return;
    nextAt = at + REPORT_EVERY_MS;
    await currentContext()?.progress({ scanned, removed, bytes });
  };
}

function toResult(findings: Findings, dryRun: boolean): CleanupResult {
  const { removed, bytes, folders, failures } = findings;
  return { removed, bytes, folders, files: findings.listRemoved(), failed: findings.listFailures(), failures, dryRun };
}
