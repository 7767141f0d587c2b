import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder of one test run: data of servers, and the ids of the processes that were started with their command's mark.
 * The main process makes it and names it in TQ_TEST_RUN_FOLDER, which the test processes inherit; whatever they leave
 * behind, even when they are killed, is ended and removed from here.
 */
const variable = 'TQ_TEST_RUN_FOLDER';

/** The folder of this run; made on the first call of a process that inherited none, and removed when that one ends. */
export function getRunFolder(): string {
  const inherited = process.env[variable];
  if (inherited) return inherited;
  const folder = mkdtempSync(join(tmpdir(), 'tq-run-'));
  // A PostgreSQL that root starts runs as another user, who must be able to pass through.
  chmodSync(folder, 0o711);
  mkdirSync(join(folder, 'pids'));
  process.env[variable] = folder;
  process.once('exit', () => removeRunFolder(folder));
  return folder;
}

/** A new, empty folder below the run's, for what outlives one test: a server's data, the surroundings of a process. */
export function createFolderOfRun(name: string): string {
  const folder = mkdtempSync(join(getRunFolder(), `${name}-`));
  chmodSync(folder, 0o711);
  return folder;
}

/** @param mark text that only this process has in its command line, so that a reused id is never mistaken for it */
export function recordStarted(pid: number, mark: string): void {
  writeFileSync(join(getRunFolder(), 'pids', String(pid)), mark);
}

export function recordEnded(pid: number): void {
  rmSync(join(getRunFolder(), 'pids', String(pid)), { force: true });
}

/** Ends what this run started and did not stop, then removes its folder. Synchronous: it runs while the process exits. */
export function removeRunFolder(folder = getRunFolder()): void {
  for (const pid of listRecorded(folder)) {
    const mark = readFileSync(join(folder, 'pids', String(pid)), 'utf8');
    if (commandOf(pid).includes(mark)) process.kill(pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  if (process.env[variable] === folder) delete process.env[variable];
}

function listRecorded(folder: string): number[] {
  try {
    return readdirSync(join(folder, 'pids')).map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return '';
  }
}
