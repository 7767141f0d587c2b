import {
  exactOptional,
  integer,
  maxValue,
  minLength,
  minValue,
  number,
  pipe,
  record,
  strictObject,
  string,
  unknown,
} from 'valibot';
import { createError, messageOf } from '../engine/core/errors.ts';
import type { JobFailure } from '../engine/core/failure-list.ts';
import { parseRate } from '../engine/core/rate.ts';
import { readRunTime } from '../engine/core/run-id.ts';
import { type ReprocessKeeper, type ReprocessReport, reprocess } from '../engine/deadletter/reprocessing.ts';
import type { JobPage } from '../engine/jobs/seen-job.ts';
import { planChanges, UNKNOWN } from './job-changes.ts';
import { assertChoice, choiceEntries, choiceFlags, chooseJobs, type JobChoice } from './job-choice.ts';
import { listDifferences } from './job-edit.ts';
import { defineOperation, type Plan } from './operation.ts';
import { findTasks } from './patched-tasks.ts';
import type { Session } from './session.ts';
import type { UndoKeeper } from './undo-keeper.ts';

export interface Reprocessed {
  /** Dead letters that it came to. */
  readonly matched: number;
  /** Those that went back to work. */
  readonly reprocessed: number;
  /** Those that were left alone; at most a hundred are named. */
  readonly failed: readonly JobFailure[];
  readonly failedCount: number;
  /** Why it ended before all was done; null when all was. */
  readonly stopped: string | null;
  /** What was seen of the reprocessed jobs, with `stopIfFailing`; null without. */
  readonly outcomes: { readonly succeeded: number; readonly failed: number; readonly pending: number } | null;
  /** The id to undo it with; null when nothing was kept. */
  readonly undo: string | null;
  /** What the log of each job calls this run, and what `--resume` takes. */
  readonly run: string;
}

const PLACES = ['dead'] as const;

const input = strictObject({
  ...choiceEntries,
  /** At most so many. */
  first: exactOptional(pipe(number(), integer(), minValue(1))),
  /** `20/s`. */
  rate: exactOptional(string()),
  /** Percent. */
  stopIfFailing: exactOptional(pipe(number(), minValue(0), maxValue(100))),
  /** How long to wait for outcomes when nothing comes to anything, in ms. */
  patienceMs: exactOptional(pipe(number(), minValue(0))),
  /** The queue that they go to. */
  to: exactOptional(pipe(string(), minLength(1, 'a queue has a name'))),
  /** A JSON Merge Patch for the first argument. */
  patch: exactOptional(record(string(), unknown())),
  /** An earlier run that this one goes on with: what has died since then is left alone. */
  resume: exactOptional(string()),
});

export const reprocessDeadLetters = defineOperation({
  name: 'reprocess-dead-letters',
  effect: 'destructive',
  summary: 'Send dead letters back to work, at a pace, as long as they succeed',
  input,
  async plan(session, { first, rate, stopIfFailing: _, patienceMs: __, to, patch, resume, ...choice }): Promise<Plan> {
    assertChoice('dlq reprocess', choice);
    if (rate !== undefined) parseRate(rate, '--rate');
    const diedBy = readDiedBy(resume, session.clock.now());
    const where = to === undefined ? '' : ` in queue "${to}"`;
    const plan = await planChanges(until(chooseJobs(session, choice, { places: PLACES }), diedBy), {
      verb: `send … back to work${where}`,
      places: PLACES,
      ...(first !== undefined && { atMost: first }),
    });
    const rows = patch === undefined ? [] : await listDifferences(session, choice, { kind: 'merge', patch }, PLACES);
    return rows.length === 0 ? plan : { ...plan, rows };
  },
  async run(
    session,
    { first, rate, stopIfFailing, patienceMs, to, patch, resume, ...choice },
    run,
  ): Promise<Reprocessed> {
    assertChoice('dlq reprocess', choice);
    const broker = await session.broker();
    const taskOf = await findTasks(session, patch !== undefined);
    const others: JobFailure[] = [];
    const pages = chooseDead(session, choice, run.signal, others);
    const report = await reprocess(
      pages,
      {
        diedBy: readDiedBy(resume, session.clock.now()),
        ...{ first, stopIfFailingPercent: stopIfFailing, patienceMs, queue: to },
        rate: rate === undefined ? undefined : parseRate(rate, '--rate'),
        patch: patch === undefined ? undefined : { kind: 'merge', patch },
      },
      {
        ...{ broker, clock: session.clock, signal: run.signal, run: run.id, taskOf },
        keeper: toReprocessKeeper(run.keeper),
        onProgress: run.progress,
      },
    );
    return {
      matched: report.matched + others.length,
      reprocessed: report.reprocessed,
      failed: [...others, ...report.failed],
      failedCount: report.failedCount + others.length,
      stopped: describeStop(report, stopIfFailing),
      outcomes: report.outcomes ?? null,
      undo: run.keeper?.undo ?? null,
      run: run.id,
    };
  },
  commandLine: ({ first, rate, stopIfFailing, patienceMs: _, to, patch, resume, ...choice }) => [
    ...['dlq', 'reprocess', ...choiceFlags(choice)],
    ...(first === undefined ? [] : ['--first', String(first)]),
    ...(rate === undefined ? [] : ['--rate', rate]),
    ...(stopIfFailing === undefined ? [] : ['--stop-if-failing', `${stopIfFailing}%`]),
    ...(to === undefined ? [] : ['--queue', to]),
    ...(patch === undefined ? [] : ['--patch', JSON.stringify(patch)]),
    ...(resume === undefined ? [] : ['--resume', resume]),
    '--yes',
  ],
});

/** @throws USAGE for what is no id of a run */
function readDiedBy(resume: string | undefined, now: number): number {
  if (resume === undefined) return now;
  const startedAt = readRunTime(resume);
  if (startedAt !== undefined && startedAt <= now) return startedAt;
  throw createError('USAGE', {
    message: `--resume was given "${resume}", which is no id of a run`,
    next: 'give the id that the interrupted command printed; `tq audit` lists them',
  });
}

async function* until(pages: AsyncIterable<JobPage>, diedBy: number): AsyncIterable<JobPage> {
  for await (const { queue, jobs } of pages) {
    yield { queue, jobs: jobs.filter(({ finishedAt }) => (finishedAt ?? 0) <= diedBy) };
  }
}

/** The dead letters among the chosen jobs; of the named ones, those that are none are told. */
async function* chooseDead(
  session: Session,
  choice: JobChoice,
  signal: AbortSignal,
  others: JobFailure[],
): AsyncIterable<JobPage> {
  const onMissing = (id: string): void => void others.push({ id, message: UNKNOWN });
  for await (const { queue, jobs } of chooseJobs(session, choice, { places: PLACES, signal }, onMissing)) {
    for (const job of jobs) {
      if (choice.ids === undefined || job.state === 'FAILURE') continue;
      others.push({ id: job.id, message: `it is no dead letter: its state is ${job.state}` });
    }
    yield { queue, jobs };
  }
}

function toReprocessKeeper(keeper: UndoKeeper | undefined): ReprocessKeeper | undefined {
  if (keeper === undefined) return undefined;
  return {
    keep(records, { queue, data }) {
      const after = { queue, place: 'waiting' } as const;
      return keeper.keep(records, Object.keys(data).length === 0 ? after : { ...after, data });
    },
    left: (records) => keeper.left(records),
  };
}

function describeStop({ stop, error, outcomes }: ReprocessReport, percent: number | undefined): string | null {
  switch (stop) {
    case undefined:
      return null;
    case 'failing':
      return `more than ${percent} % of them failed: ${outcomes?.failed} of ${(outcomes?.failed ?? 0) + (outcomes?.succeeded ?? 0)} that came to something`;
    case 'idle':
      return `nobody runs them: ${outcomes?.pending} wait, and none has ended for a while`;
    case 'stopped':
      return 'it was asked to stop';
    case 'error':
      return messageOf(error);
  }
}
