import type { Connection } from './connection.ts';

/** Free pages that a file keeps for what comes next: 8 MiB, or a quarter of it if that is more. */
const KEPT_PAGES = 2000;
const KEPT_SHARE = 0.25;

/** What one step gives back: 16 MiB, which takes some ten milliseconds. */
const STEP_PAGES = 4000;

/**
 * Gives a part of the file's free pages back to the disk. Pages of removed jobs are used again first; only what is free
 * beyond a quarter of the file is returned, in steps, by whoever looks for stalled jobs.
 */
export function returnSpace(connection: Connection): void {
  const free = connection.get('PRAGMA freelist_count')?.[0] as number;
  if (free <= KEPT_PAGES) return;
  const pages = connection.get('PRAGMA page_count')?.[0] as number;
  const surplus = free - Math.max(KEPT_PAGES, pages * KEPT_SHARE);
  if (surplus > 0) connection.execute(`PRAGMA incremental_vacuum(${Math.min(STEP_PAGES, Math.ceil(surplus))})`);
}
