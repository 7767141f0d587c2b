import { setTimeout as wait } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import type { Operation } from './group-commit.ts';

/** Free pages that a file keeps for what comes next: 8 MiB, or a quarter of it if that is more. */
const KEPT_PAGES = 8000;
const KEPT_SHARE = 0.25;

/** What one step gives back: it takes some 4 ms, for which the process does nothing else and nobody else writes. */
const STEP_PAGES = 100;

const PAUSE_MS = 20;

/**
 * Gives free pages back to the disk, in small steps beside the work: those of removed jobs are used again first, and only
 * what is free beyond a quarter of the file is returned.
 *
 * @param write runs an operation in a transaction
 * @param checkpoint copies the write-ahead log into the file: only then does the file become shorter
 * @param signal ends it between two steps
 */
export async function returnSpace(
  write: (step: Operation<number>) => Promise<number>,
  checkpoint: () => void,
  signal: AbortSignal,
): Promise<void> {
  let returned = 0;
  for (;;) {
    const pages = signal.aborted ? 0 : await write(({ connection }) => returnStep(connection));
    if (pages === 0) break;
    returned += pages;
    await wait(PAUSE_MS, undefined, { ref: false, signal });
  }
  if (returned > 0) checkpoint();
}

/** @returns how many pages were given back */
function returnStep(connection: Connection): number {
  const free = connection.get('PRAGMA freelist_count')?.[0] as number;
  if (free <= KEPT_PAGES) return 0;
  const pages = connection.get('PRAGMA page_count')?.[0] as number;
  const surplus = Math.ceil(free - Math.max(KEPT_PAGES, pages * KEPT_SHARE));
  const step = Math.min(STEP_PAGES, surplus);
  if (step <= 0) return 0;
  connection.execute(`PRAGMA incremental_vacuum(${step})`);
  return step;
}
