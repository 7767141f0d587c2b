import type { LogEntry } from '../broker/event-port.ts';
import type { Broker } from '../broker/port.ts';
import type { StoredJob } from '../core/job.ts';
import type { JobQuery } from './job-query.ts';

/** Jobs that are remembered as told; the ones told first are forgotten first, and told again. */
const MAX_TOLD = 10_000;

export interface FollowOptions {
  /** All queues without it. */
  readonly queues: readonly string[] | undefined;
  /** All jobs without it. The ages that it asks for are those of the moment. */
  readonly query: ((now: number) => JobQuery) | undefined;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly onListening?: () => void;
  readonly onTrouble?: (error: Error) => void;
  readonly onRecovered?: (downMs: number) => void;
}

/**
 * Jobs as they come to fit a query: whenever something happens to a job that did not fit before. It is read a moment after that, so what
 * lasts for less is not seen; and a job of which nothing was told fits anew with the first thing that happens to it.
 */
export async function* followJobs(broker: Broker, options: FollowOptions): AsyncGenerator<StoredJob, void, void> {
  const { queues, query, now, ...listening } = options;
  const told = new Set<string>();
  for await (const entries of broker.events.listen(listening)) {
    const heard = entries.filter(({ queue }) => queues === undefined || queues.includes(queue));
    for (const [queue, ids] of groupIds(heard)) {
      const asked = query?.(now());
      for (const job of await broker.queue(queue).bulk.readJobs(ids)) {
        const key = JSON.stringify([queue, job.id]);
        const fits = asked === undefined || asked.matches(job);
        if (!fits) told.delete(key);
        if (!fits || told.has(key)) continue;
        told.add(key);
        if (told.size > MAX_TOLD) told.delete(told.values().next().value ?? key);
        yield job;
      }
    }
  }
}

function groupIds(entries: readonly LogEntry[]): Map<string, string[]> {
  const groups = Map.groupBy(entries, ({ queue }) => queue);
  return new Map([...groups].map(([queue, group]) => [queue, [...new Set(group.map(({ id }) => id))]]));
}
