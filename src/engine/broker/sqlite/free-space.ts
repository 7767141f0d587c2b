import { setTimeout as wait } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import type { Operation } from './group-commit.ts';

/** Free pages that a file keeps for what comes next: 8 MiB, or a quarter of it if that is more. */
const KEPT_PAGES = 8000;
const KEPT_SHARE = 0.25;

/** What one step gives back: half a MiB, so that nobody waits long for the file. */
const STEP_PAGES = 500;

const PAUSE_MS = 20;

/**
 * Gives free pages back to the disk, in small steps beside the work: those of removed jobs are used again first, and only
 * what is free beyond a quarter of the file is returned. A million removed jobs take some tens of seconds.
 *
 * @param write runs an operation in a transaction
 * @param signal ends it between two steps
 */
export async function returnSpace(
  write: (step: Operation<boolean>) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await write(({ connection }) => returnStep(connection)))) {
    await wait(PAUSE_MS, undefined, { ref: false, signal });
  }
}

/** @returns whether there is more to give back */
function returnStep(connection: Connection): boolean {
  const free = connection.get('PRAGMA freelist_count')?.[0] as number;
  if (free <= KEPT_PAGES) return false;
  const pages = connection.get('PRAGMA page_count')?.[0] as number;
  const surplus = Math.ceil(free - Math.max(KEPT_PAGES, pages * KEPT_SHARE));
  if (surplus <= 0) return false;
  connection.execute(`PRAGMA incremental_vacuum(${Math.min(STEP_PAGES, surplus)})`);
  return surplus > STEP_PAGES;
}
