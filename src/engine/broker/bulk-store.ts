import type { JobRecord } from '../core/job-record.ts';
import type { DeadJob, JobChange, Restored, ScanPlace } from './bulk-port.ts';

/** What a store does with a page of jobs of one queue in one call; see `BulkJobs` for what each promises. */
export interface BulkStore {
  readRecords(queue: string, ids: readonly string[]): Promise<JobRecord[]>;
  restore(queue: string, records: readonly JobRecord[]): Promise<Restored[]>;
  remove(queue: string, ids: readonly string[], from: readonly ScanPlace[]): Promise<string[]>;
  move(queue: string, ids: readonly string[], target: string, from: readonly ScanPlace[]): Promise<string[]>;
  rewrite(queue: string, changes: readonly JobChange[]): Promise<string[]>;
  reprocess(queue: string, jobs: readonly DeadJob[]): Promise<string[]>;
  promote(queue: string, ids: readonly string[]): Promise<string[]>;
}
