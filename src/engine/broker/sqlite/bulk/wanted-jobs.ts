import type { ScanPlace } from '../../bulk-port.ts';
import { isLocked, type JobHead, listHeads } from '../job-row.ts';
import type { OpenQueue } from '../open-queue.ts';
import { PLACES } from './record-reading.ts';

/** Those of the ids that are at one of these places and that no worker has, in the order of the ids. */
export function listWanted(
  queue: OpenQueue,
  ids: readonly string[],
  from: readonly ScanPlace[],
  now: number,
): JobHead[] {
  const heads = new Map(listHeads(queue, ids).map((job) => [job.id, job]));
  return [...new Set(ids)].flatMap((id) => {
    const job = heads.get(id);
    if (job?.state == null || job.state === 'active' || isLocked(job, now)) return [];
    return from.includes(PLACES[job.state]) ? [job] : [];
  });
}
