import { BULK_PAGE, type BulkJobs } from '../broker/bulk-port.ts';
import type { JobRecord } from '../core/job-record.ts';

/** Characters that are read at once: jobs with large arguments, or long stacks, come in smaller slices. */
const SLICE_LENGTH = 2 ** 19;
/** Before anything is known of the jobs. */
const FIRST_SIZE = 8;

/** Reads whole jobs in slices whose number of jobs follows from how large the last ones were: memory stays flat, however large they are. */
export class RecordSlices {
  #size = FIRST_SIZE;
  readonly #most: number;

  /** @param most how many jobs a slice has at most */
  constructor(most = BULK_PAGE) {
    this.#most = most;
  }

  /**
   * @param ids of one queue
   * @returns those that the queue still holds, a slice at a time, empty slices are left out
   */
  async *read(bulk: Pick<BulkJobs, 'readRecords'>, ids: readonly string[]): AsyncIterable<JobRecord[]> {
    for (let from = 0; from < ids.length; ) {
      const slice = ids.slice(from, from + this.#size);
      from += slice.length;
      const records = await bulk.readRecords(slice);
      if (records.length === 0) continue;
      const length = records.reduce((sum, record) => sum + lengthOf(record), 0);
      this.#size = Math.min(this.#most, Math.max(1, Math.floor((SLICE_LENGTH * records.length) / Math.max(length, 1))));
      yield records;
    }
  }
}

function lengthOf({ data, result, stacks, log }: JobRecord): number {
  const texts = [data, result ?? '', ...stacks, ...log];
  return texts.reduce((sum, { length }) => sum + length, 0);
}
