import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createError, messageOf } from '../engine/core/errors.ts';

export interface Pidfile {
  /** Removes the file, unless it names another process by now. */
  remove(): void;
}

/**
 * Writes the id of this process to a file, as supervisors and scripts read it. A file that names a process which is gone is
 * replaced; one that holds anything but a process id is left alone, for it was hardly meant.
 *
 * A process that was given the id of a dead one, as the first processes of a container are, takes the file for its own.
 *
 * @throws PIDFILE_REFUSED
 */
export function writePidfile(path: string): Pidfile {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Two that find the same stale file: only one of them makes the new one.
    if (!tryCreate(path)) {
      assertStale(path);
      unlinkSync(path);
      if (!tryCreate(path)) assertStale(path);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const next = 'give --pidfile a file in a folder that this user may write to';
    throw createError('PIDFILE_REFUSED', { path, reason: messageOf(error), next }, error);
  }
  return {
    remove() {
      try {
        if (readPid(path) === process.pid) unlinkSync(path);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    },
  };
}

function tryCreate(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  }
}

function assertStale(path: string): void {
  const pid = readPid(path);
  if (pid === undefined) {
    const next = 'give --pidfile a file of its own, or remove this one';
    throw createError('PIDFILE_REFUSED', { path, reason: 'it holds something else than a process id', next });
  }
  if (pid === process.pid || !isAlive(pid)) return;
  const next = 'stop that process first, or give this one a --pidfile of its own';
  throw createError('PIDFILE_REFUSED', { path, reason: `it names process ${pid}, which lives`, next });
}

/** Zero for an empty file, which a machine that lost power may leave. */
function readPid(path: string): number | undefined {
  const text = readFileSync(path, 'utf8').trim();
  return /^\d{0,10}$/.test(text) ? Number(text) : undefined;
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error) && error.code === 'EPERM';
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
