import type { JobRecord } from '../../src/engine/core/job-record.ts';
import type { ClosableKeeper, KeptAfter, KeptJob } from '../../src/ops/undo-keeper.ts';

/** A keeper that holds what it is given in memory. */
export class KeptJobs implements ClosableKeeper {
  readonly kept: { readonly record: JobRecord; readonly after: KeptAfter | null }[] = [];
  readonly leftAlone: KeptJob[] = [];
  /** It fails from now on. */
  failure: Error | undefined;
  readonly #onKeep: () => void;

  constructor(onKeep: () => void = () => {}) {
    this.#onKeep = onKeep;
  }

  async keep(records: readonly JobRecord[], after: KeptAfter | null): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.kept.push(...records.map((record) => ({ record, after })));
    this.#onKeep();
  }

  async keepNew(records: readonly JobRecord[]): Promise<void> {
    await this.keep(records, null);
  }

  left(jobs: readonly KeptJob[]): void {
    this.leftAlone.push(...jobs);
  }

  async close(): Promise<null> {
    return null;
  }

  get undo(): string | null {
    return this.kept.length === 0 ? null : 'op1';
  }
}
