import { array, exactOptional, nonEmpty, pipe, regex, string } from 'valibot';
import { BULK_PAGE } from '../engine/broker/bulk-port.ts';
import type { BrokerQueue } from '../engine/broker/port.ts';
import { resolveQueues } from '../engine/control/known-queues.ts';
import { fingerprintOf } from '../engine/core/fingerprint.ts';
import type { JobSummary, StoredJob } from '../engine/core/job.ts';
import { readAhead } from '../engine/core/read-ahead.ts';
import { type JobQuery, parseJobQuery } from '../engine/jobs/job-query.ts';
import { queryText } from './query-text.ts';
import type { Session } from './session.ts';

/** Which dead letters are looked at; all of them without anything. */
export interface DeadLetterChoice {
  readonly queues?: string[];
  readonly where?: string;
  readonly fingerprint?: string;
}

/** The part of an operation's input that is a choice. */
export const deadLetterEntries = {
  queues: exactOptional(pipe(array(string()), nonEmpty())),
  where: exactOptional(queryText),
  fingerprint: exactOptional(
    pipe(string(), regex(/^[\da-f]{8}$/, 'a fingerprint is 8 hexadecimal characters, as `tq dlq stats` prints them')),
  ),
};

/** The arguments of `tq` that choose the same. */
export function deadLetterFlags({ queues, where, fingerprint }: DeadLetterChoice): string[] {
  return [
    ...(queues === undefined ? [] : ['-Q', queues.join(',')]),
    ...(where === undefined ? [] : ['--where', where]),
    ...(fingerprint === undefined ? [] : ['--fingerprint', fingerprint]),
  ];
}

/** The dead letters of one queue that were chosen, in pages. */
export interface DeadQueue {
  readonly queue: BrokerQueue;
  readonly pages: AsyncIterable<readonly JobSummary[]>;
}

/**
 * The queues that may hold chosen dead letters. Nothing of a queue is read before its pages are, and never more than a page ahead of
 * what is asked for, so that memory does not grow with their number.
 *
 * @param from `first` begins with the oldest deaths
 * @throws UNKNOWN_QUEUE, INVALID_QUERY
 */
export async function listDeadQueues(
  session: Session,
  choice: DeadLetterChoice,
  from: 'first' | 'last',
): Promise<DeadQueue[]> {
  const query = choice.where === undefined ? undefined : parseJobQuery(choice.where, session.clock.now());
  const broker = await session.broker();
  const names = choice.queues === undefined ? await broker.listQueues() : await resolveQueues(broker, choice.queues);
  return names
    .filter((name) => query?.reaches(name, 'dead') !== false)
    .map((name) => {
      const queue = broker.queue(name);
      return { queue, pages: readAhead(choose(queue, { ...choice, query, from })) };
    });
}

interface Choosing {
  readonly query: JobQuery | undefined;
  readonly fingerprint?: string;
  readonly from: 'first' | 'last';
}

async function* choose(
  { bulk }: BrokerQueue,
  { query, fingerprint, from }: Choosing,
): AsyncIterable<readonly JobSummary[]> {
  const filter = query?.filter;
  const scan = { places: ['dead'] as const, from, ...(filter !== undefined && { filter }), pageSize: BULK_PAGE };
  const pages = query?.needsData === true ? bulk.scan(scan) : bulk.scanSummaries(scan);
  for await (const jobs of pages) {
    yield jobs
      .map((job) => ('fingerprint' in job ? job : withFingerprint(job)))
      .filter((job) => fingerprint === undefined || job.fingerprint === fingerprint)
      .filter((job) => query?.matches(job, 'dead') !== false);
  }
}

function withFingerprint(job: StoredJob): JobSummary & StoredJob {
  const fingerprint = job.error === null ? null : fingerprintOf(job.error);
  return { ...job, fingerprint, revoked: job.revoked };
}
