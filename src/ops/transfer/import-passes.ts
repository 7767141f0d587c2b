import { BULK_PAGE } from '../../engine/broker/bulk-port.ts';
import type { Broker } from '../../engine/broker/port.ts';
import { isUnfinished } from '../../engine/broker/record-values.ts';
import type { JobFailure } from '../../engine/core/failure-list.ts';
import type { JobRecord } from '../../engine/core/job-record.ts';
import type { UndoKeeper } from '../undo-keeper.ts';
import { type ImportFile, type InvalidLine, readTransfer } from './import-file.ts';
import { writeStateRecord } from './state-writing.ts';
import type { TransferLine } from './transfer-line.ts';

export interface ImportOptions {
  /** Puts all jobs into this queue. */
  readonly queue: string | undefined;
  readonly keeper: UndoKeeper | undefined;
  readonly signal: AbortSignal;
  readonly onInvalid: (line: InvalidLine) => void;
  /** After each page, what became of its jobs. */
  readonly onJobs: (imported: ImportedPage) => void;
}

interface ImportedPage {
  readonly imported: number;
  readonly present: number;
  readonly refused: readonly JobFailure[];
}

/**
 * Stores the jobs of a file, page by page. What waits for others must be there before them, or workers would run them and find nobody who
 * waits; so the file is read up to three times, whatever the order of its lines:
 *
 * 1. the records of workflows, and the jobs that wait for others;
 * 2. all other jobs;
 * 3. parts of flows that have ended: a job that is still to run is not stored where its parent is there and waits for it no more.
 *
 * A job that its queue holds already is left as it is, so the same file can be imported again. Ends between two pages when the signal
 * says so.
 *
 * @throws what `onInvalid` throws, IMPORT_UNREADABLE, UNDO_NOT_KEPT, and what the broker throws
 */
export async function importFile(broker: Broker, file: ImportFile, options: ImportOptions): Promise<void> {
  const { onInvalid, signal } = options;
  const pages = new ImportPages(broker, options);
  // Only the pass that reads every line tells what is wrong with one.
  const ignore = (): void => {};
  for await (const line of readTransfer(file, { onInvalid: ignore, mayBe: mayComeFirst })) {
    if (signal.aborted) return;
    if (line.kind === 'state') await writeStateRecord(broker.state, line.entry);
    else if (line.record.place === 'blocked') await pages.add(line.record);
  }
  await pages.flush();
  let isMore = false;
  for await (const line of readTransfer(file, { onInvalid })) {
    if (signal.aborted) return;
    const pass = passOf(line);
    if (pass === 'last') isMore = true;
    else if (pass === 'second' && line.kind === 'job') await pages.add(line.record);
  }
  await pages.flush();
  if (!isMore) return;
  for await (const line of readTransfer(file, { onInvalid: ignore })) {
    if (signal.aborted) return;
    if (line.kind === 'job' && passOf(line) === 'last') await pages.add(line.record);
  }
  await pages.flush();
}

/** Whether a line may be of the first pass: a look that costs less than reading it. */
function mayComeFirst(text: string): boolean {
  return /"kind"\s*:\s*"state"|"place"\s*:\s*"blocked"/.test(text);
}

function passOf(line: TransferLine): 'first' | 'second' | 'last' {
  if (line.kind === 'state') return 'first';
  const { place, parent, children } = line.record;
  if (place === 'blocked') return 'first';
  return (parent !== null || children.length > 0) && !isUnfinished(line.record) ? 'last' : 'second';
}

/** Characters of data of the jobs that are held until their page is full. */
const HELD_LENGTH = 8 * 2 ** 20;

/** Collects jobs by their queues, and stores them a page at a time. */
class ImportPages {
  readonly #broker: Broker;
  readonly #options: ImportOptions;
  readonly #pages = new Map<string, JobRecord[]>();
  readonly #withPriorities = new Set<string>();
  #length = 0;
  #held = 0;

  constructor(broker: Broker, options: ImportOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  async add(given: JobRecord): Promise<void> {
    const record = this.#place(given);
    if (record === undefined) return;
    const page = this.#pages.get(record.queue) ?? [];
    page.push(record);
    this.#pages.set(record.queue, page);
    this.#held += 1;
    this.#length += lengthOf(record);
    if (page.length >= BULK_PAGE) await this.#store(record.queue, page);
    else if (this.#length > HELD_LENGTH || this.#held > 10 * BULK_PAGE) await this.flush();
  }

  async flush(): Promise<void> {
    for (const [queue, page] of this.#pages) {
      if (this.#options.signal.aborted) return;
      await this.#store(queue, page);
    }
  }

  /** The job as it will be: one that ran starts anew. */
  #place(record: JobRecord): JobRecord | undefined {
    const { queue = record.queue, onJobs } = this.#options;
    const place = record.place === 'active' ? 'waiting' : record.place;
    if (queue === record.queue) return { ...record, place };
    if (record.parent === null && record.children.length === 0) return { ...record, place, queue };
    const message = 'it is a part of a flow, whose other jobs know it in its own queue; import it without --queue';
    onJobs({ imported: 0, present: 0, refused: [{ id: record.id, message }] });
    return undefined;
  }

  async #store(name: string, page: readonly JobRecord[]): Promise<void> {
    this.#pages.delete(name);
    this.#held -= page.length;
    for (const record of page) this.#length -= lengthOf(record);
    const { keeper, onJobs } = this.#options;
    const queue = this.#broker.queue(name);
    for (const group of Map.groupBy(page, ({ place }) => place).values()) await keeper?.keepNew(group);
    if (!this.#withPriorities.has(name) && page.some(({ priority }) => priority > 0)) {
      if (!(await queue.hasPriorities(true))) await queue.enablePriorities();
      this.#withPriorities.add(name);
    }
    const answers = await queue.bulk.restore(page);
    keeper?.left(page.filter((_, index) => answers[index]?.kind !== 'restored'));
    onJobs({
      imported: answers.filter(({ kind }) => kind === 'restored').length,
      present: answers.filter(({ kind }) => kind === 'present').length,
      refused: answers.flatMap((answer) =>
        answer.kind === 'refused' ? [{ id: answer.id, message: answer.reason }] : [],
      ),
    });
  }
}

function lengthOf({ data, result }: JobRecord): number {
  return data.length + (result?.length ?? 0);
}
