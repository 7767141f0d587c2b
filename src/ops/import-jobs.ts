import { exactOptional, literal, minLength, pipe, strictObject, string } from 'valibot';
import { assertQueueName } from '../engine/broker/queue-name.ts';
import { createError, messageOf } from '../engine/core/errors.ts';
import { FailureList, type JobFailure } from '../engine/core/failure-list.ts';
import type { JobRecord } from '../engine/core/job-record.ts';
import { defineOperation, type Plan } from './operation.ts';
import { type ImportFile, type InvalidLine, readTransfer } from './transfer/import-file.ts';
import { importFile } from './transfer/import-passes.ts';

/** What came of an import. */
export interface JobImport {
  /** Jobs in the file. */
  readonly matched: number;
  readonly imported: number;
  /** Their queues held jobs of these ids already, which were left as they are; or the file has them twice. */
  readonly present: number;
  /** Those that were not stored, and lines that are no jobs; at most a hundred are named. */
  readonly failed: readonly JobFailure[];
  readonly failedCount: number;
  /** The id to undo it with; null when nothing was kept. */
  readonly undo: string | null;
  /** Why it ended before all was done; null when all was. */
  readonly stopped: string | null;
}

export const importJobs = defineOperation({
  name: 'import-jobs',
  effect: 'write',
  summary: 'Store the jobs of a file that was exported',
  input: strictObject({
    file: pipe(string(), minLength(1, 'a file has a name')),
    /** Where the text lies, when the file is `-`. */
    spooled: exactOptional(string()),
    /** Puts all of them into this queue. */
    queue: exactOptional(string()),
    skipInvalid: exactOptional(literal(true)),
  }),
  async plan(_session, { file, spooled, queue, skipInvalid }): Promise<Plan> {
    if (queue !== undefined) assertQueueName(queue);
    const counts = new PlaceCounts();
    let invalid = 0;
    const onInvalid = (line: InvalidLine): void => {
      if (skipInvalid !== true) throw refuse(file, line, false);
      invalid += 1;
    };
    for await (const line of readTransfer(nameFile(file, spooled), { onInvalid })) {
      if (line.kind === 'job') counts.add(queue ?? line.record.queue, line.record.place);
    }
    const skipped = invalid === 0 ? '' : `, and leave out ${invalid === 1 ? '1 line' : `${invalid} lines`}`;
    const jobs = counts.total === 1 ? '1 job' : `${counts.total} jobs`;
    return { summary: `would import ${jobs}${skipped}`, count: counts.total, rows: counts.rows };
  },
  async run(session, { file, spooled, queue, skipInvalid }, run): Promise<JobImport> {
    if (queue !== undefined) assertQueueName(queue);
    const failed = new FailureList();
    let isBegun = false;
    const onInvalid = (line: InvalidLine): void => {
      if (skipInvalid !== true) throw refuse(file, line, isBegun);
      failed.add(`line ${line.line}`, line.reason);
    };
    const counts = { imported: 0, present: 0, refused: 0 };
    const options = {
      ...{ queue, keeper: run.keeper, signal: run.signal, onInvalid },
      onJobs({ imported, present, refused }: Imported): void {
        isBegun = true;
        counts.imported += imported;
        counts.present += present;
        counts.refused += refused.length;
        for (const { id, message } of refused) failed.add(id, message);
        run.progress(counts.imported + counts.present + counts.refused);
      },
    };
    let stopped: string | null = null;
    try {
      await importFile(await session.broker(), nameFile(file, spooled), options);
      if (run.signal.aborted) stopped = 'it was asked to stop';
    } catch (error) {
      if (counts.imported === 0) throw error;
      stopped = messageOf(error);
    }
    const { imported, present, refused } = counts;
    return {
      ...{ matched: imported + present + refused, imported, present, failed: failed.named, failedCount: failed.count },
      ...{ undo: run.keeper?.undo ?? null, stopped },
    };
  },
  commandLine: ({ file, queue, skipInvalid }) => [
    ...['jobs', 'import', file],
    ...(queue === undefined ? [] : ['--queue', queue]),
    ...(skipInvalid === true ? ['--skip-invalid'] : []),
    '--yes',
  ],
});

interface Imported {
  readonly imported: number;
  readonly present: number;
  readonly refused: readonly JobFailure[];
}

function nameFile(file: string, spooled: string | undefined): ImportFile {
  return { path: spooled ?? file, name: file === '-' ? 'stdin' : file };
}

function refuse(file: string, { line, reason }: InvalidLine, stored: boolean): Error {
  return createError('IMPORT_INVALID', { path: file === '-' ? 'stdin' : file, line, reason, stored });
}

/** Rows of a plan; queues beyond these are counted together. */
const MAX_ROWS = 1000;

class PlaceCounts {
  readonly #counts = new Map<string, { queue: string; place: JobRecord['place'] | '…'; jobs: number }>();
  total = 0;

  add(queue: string, place: JobRecord['place']): void {
    this.total += 1;
    const key = `${queue}:${place}`;
    const isFull = this.#counts.size >= MAX_ROWS && !this.#counts.has(key);
    const row = isFull ? { queue: '…', place: '…' as const, jobs: 0 } : { queue, place, jobs: 0 };
    const counted = this.#counts.get(isFull ? '…' : key) ?? row;
    counted.jobs += 1;
    this.#counts.set(isFull ? '…' : key, counted);
  }

  get rows(): Plan['rows'] {
    return [...this.#counts.values()];
  }
}
