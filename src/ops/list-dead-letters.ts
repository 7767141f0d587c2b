import { integer, maxValue, minValue, number, pipe, strictObject } from 'valibot';
import type { BrokerQueue } from '../engine/broker/port.ts';
import { decodeEnvelope } from '../engine/core/envelope.ts';
import { readExactJson } from '../engine/core/exact-json.ts';
import type { JobSummary, StoredError } from '../engine/core/job.ts';
import type { JobRecord } from '../engine/core/job-record.ts';
import { type DeadLetterChoice, deadLetterEntries, deadLetterFlags, listDeadQueues } from './dead-letters.ts';
import { defineOperation } from './operation.ts';

export interface DeadLetter {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: 'FAILURE';
  /** Numbers as they are stored; null when it was removed meanwhile. */
  readonly args: readonly unknown[] | null;
  /** 0 to 9, 9 first; null on a queue without priorities. */
  readonly priority: number | null;
  readonly attempts: number;
  readonly worker: string | null;
  /** Epoch milliseconds, as the others. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  /** When it died. */
  readonly finishedAt: number | null;
  /** Without its stack. */
  readonly error: StoredError | null;
  readonly fingerprint: string | null;
}

export interface DeadLetters {
  /** The latest death first, over all queues. */
  readonly jobs: readonly DeadLetter[];
  /** Others would have been listed too. */
  readonly hasMore: boolean;
}

/** Each queue may have to give all of them, so the limit bounds what is held: limit × queues summaries. */
const MAX_LISTED = 10_000;
/** Arguments may be megabytes: they are read a few at a time. */
const READ_AT_ONCE = 50;

export const listDeadLetters = defineOperation({
  name: 'list-dead-letters',
  effect: 'read',
  summary: 'List dead letters, the latest first',
  input: strictObject({ ...deadLetterEntries, limit: pipe(number(), integer(), minValue(1), maxValue(MAX_LISTED)) }),
  async run(session, { limit, ...choice }, { signal }): Promise<DeadLetters> {
    let found: Found[] = [];
    for (const { queue, pages } of await listDeadQueues(session, choice as DeadLetterChoice, 'last')) {
      const here = await takeFirst(pages, limit + 1, signal);
      found = [...found, ...here.map((job) => ({ job, queue }))].sort(latestFirst).slice(0, limit + 1);
    }
    return { jobs: await readAll(found.slice(0, limit)), hasMore: found.length > limit };
  },
  commandLine: ({ limit, ...choice }) => [
    'dlq',
    'list',
    ...deadLetterFlags(choice as DeadLetterChoice),
    '--limit',
    String(limit),
  ],
});

interface Found {
  readonly job: JobSummary;
  readonly queue: BrokerQueue;
}

function latestFirst(one: Found, other: Found): number {
  return (other.job.finishedAt ?? 0) - (one.job.finishedAt ?? 0);
}

async function takeFirst(
  pages: AsyncIterable<readonly JobSummary[]>,
  count: number,
  signal: AbortSignal,
): Promise<JobSummary[]> {
  const taken: JobSummary[] = [];
  for await (const jobs of pages) {
    taken.push(...jobs.slice(0, count - taken.length));
    if (taken.length === count || signal.aborted) break;
  }
  return taken;
}

async function readAll(found: readonly Found[]): Promise<DeadLetter[]> {
  const records = new Map<JobSummary, JobRecord>();
  for (const [queue, here] of Map.groupBy(found, (each) => each.queue)) {
    for (let at = 0; at < here.length; at += READ_AT_ONCE) {
      const page = here.slice(at, at + READ_AT_ONCE);
      const read = await queue.bulk.readRecords(page.map(({ job }) => job.id));
      const byId = new Map(read.map((record) => [record.id, record]));
      for (const { job } of page) {
        const record = byId.get(job.id);
        if (record !== undefined) records.set(job, record);
      }
    }
  }
  return found.map(({ job }) => toDeadLetter(job, records.get(job)));
}

function toDeadLetter(job: JobSummary, record: JobRecord | undefined): DeadLetter {
  const { id, task, queue, attempts, worker, createdAt, startedAt, finishedAt, error, fingerprint } = job;
  return {
    ...{ id, task, queue, state: 'FAILURE', args: record === undefined ? null : readArgs(record.data) },
    priority: record === undefined || record.priority === 0 ? null : Math.max(0, 10 - record.priority),
    ...{ attempts, worker, createdAt, startedAt, finishedAt, fingerprint },
    error: error === null ? null : { ...error, stack: null },
  };
}

function readArgs(data: string): readonly unknown[] {
  try {
    return decodeEnvelope(readExactJson(data)).args;
  } catch {
    return [data];
  }
}
