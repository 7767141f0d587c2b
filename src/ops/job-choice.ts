import { array, exactOptional, literal, nonEmpty, pipe } from 'valibot';
import { BULK_PAGE, type ScanPlace } from '../engine/broker/bulk-port.ts';
import { locateJobs } from '../engine/control/locate-jobs.ts';
import { createError } from '../engine/core/errors.ts';
import type { JobPage } from '../engine/jobs/seen-job.ts';
import { readDeclaredQueues } from './job-lookup.ts';
import { selectJobs } from './job-selection.ts';
import { queryText } from './query-text.ts';
import { jobId, jobQueue } from './read-result.ts';
import type { Session } from './session.ts';

/** Which jobs are meant: those of these ids, those that a query takes, or all of the places that the operation is about. */
export interface JobChoice {
  readonly ids?: string[];
  /** With ids: the queue that holds them. */
  readonly queue?: string;
  readonly where?: string;
  readonly all?: true;
}

/** The part of an operation's input that is a choice. */
export const choiceEntries = {
  ids: exactOptional(pipe(array(jobId), nonEmpty('no id was given'))),
  queue: jobQueue,
  where: exactOptional(queryText),
  all: exactOptional(literal(true)),
};

/** @throws USAGE unless exactly one of ids, where and all is given */
export function assertChoice(operation: string, { ids, where, all }: JobChoice): void {
  const given = [ids, where, all].filter((value) => value !== undefined).length;
  if (given === 1) return;
  throw createError('USAGE', {
    message: `${operation} was given ${given === 0 ? 'no jobs' : 'more than one choice of jobs'}`,
    next: 'name jobs by their ids, or by a query with --where, or give --all where the command has it',
  });
}

/** The arguments of `tq` that choose the same. */
export function choiceFlags({ ids = [], queue, where, all }: JobChoice): string[] {
  return [
    ...ids,
    ...(queue === undefined ? [] : ['-Q', queue]),
    ...(where === undefined ? [] : ['--where', where]),
    ...(all === true ? ['--all'] : []),
  ];
}

/**
 * The chosen jobs, in pages. Named ones are given wherever they are; by a query, only those in the places that the operation is
 * about.
 *
 * @param onMissing is told which ids no queue holds
 * @throws AMBIGUOUS_JOB, INVALID_QUERY
 */
export async function* chooseJobs(
  session: Session,
  { ids, queue, where }: JobChoice,
  { places, signal }: { readonly places: readonly ScanPlace[]; readonly signal?: AbortSignal | undefined },
  onMissing: (id: string) => void = () => {},
): AsyncIterable<JobPage> {
  if (ids === undefined) {
    const options = { places, ...(signal !== undefined && { signal }) };
    for await (const page of selectJobs(session, where === undefined ? {} : { where }, options)) yield page;
    return;
  }
  const broker = await session.broker();
  const wanted = [...new Set(ids)];
  const place = queue === undefined ? { likelyQueues: await readDeclaredQueues(session) } : { queue };
  const located = await locateJobs(broker, wanted, place);
  for (const id of wanted) if (!located.has(id)) onMissing(id);
  for (const [name, briefs] of Map.groupBy(located.values(), (brief) => brief.queue)) {
    for (let at = 0; at < briefs.length; at += BULK_PAGE) {
      const page = briefs.slice(at, at + BULK_PAGE).map(({ id }) => id);
      yield { queue: name, jobs: await broker.queue(name).listSummaries(page) };
    }
  }
}
