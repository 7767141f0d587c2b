import type { ScanPlace } from '../engine/broker/bulk-port.ts';
import type { Broker } from '../engine/broker/port.ts';
import type { JobSummary, StoredJob } from '../engine/core/job.ts';
import { readAhead } from '../engine/core/read-ahead.ts';
import { PLACES } from '../engine/jobs/job-place.ts';
import { parseJobQuery } from '../engine/jobs/job-query.ts';
import type { JobPage } from '../engine/jobs/seen-job.ts';
import type { Session } from './session.ts';

/** Jobs of one place of one queue, in its order. */
export interface SelectedPage extends JobPage {
  readonly place: ScanPlace;
}

export interface SelectOptions {
  /** Where to look; everywhere without it. */
  readonly places?: readonly ScanPlace[];
  /** Ends it between two pages. */
  readonly signal?: AbortSignal;
}

/**
 * The jobs of all queues that a query takes, page by page; all of them without one. The next page is read while one is worked on, and none
 * beyond that, so memory does not grow with the jobs.
 *
 * @throws INVALID_QUERY
 */
export async function* selectJobs(
  session: Session,
  { where }: { readonly where?: string },
  { places = PLACES, signal }: SelectOptions = {},
): AsyncIterable<SelectedPage> {
  const query = where === undefined ? undefined : parseJobQuery(where, session.clock.now());
  const broker: Broker = await session.broker();
  // What is done to all jobs, or keeps all of them, leaves none out.
  for (const queue of query?.queueNames ?? (await broker.listQueues({ isWhole: query === undefined }))) {
    for (const place of places) {
      if (query !== undefined && !query.reaches(queue, place)) continue;
      const { bulk } = broker.queue(queue);
      const scan = { places: [place], ...(query?.filter !== undefined && { filter: query.filter }) };
      const pages = query?.needsData === true ? bulk.scan(scan) : bulk.scanSummaries(scan);
      for await (const page of readAhead<readonly (StoredJob | JobSummary)[]>(pages)) {
        if (signal?.aborted === true) return;
        const jobs = page.filter((job) => query === undefined || query.matches(job, place));
        if (jobs.length > 0) yield { queue, place, jobs };
      }
    }
  }
}
