import type { StateEntry, StateStore } from '../broker/state-port.ts';
import { decodeEnvelope } from '../core/envelope.ts';
import { TqError } from '../core/errors.ts';

/** Of the workflows that were met last, so that their records are not read again with every page of their jobs. */
const REMEMBERED = 10_000;

/** What is written of workflows in the state beyond jobs (workflow-store.ts), for who carries jobs to another broker. */
export class WorkflowRecords {
  readonly #state: Pick<StateStore, 'list'>;
  readonly #seen = new Set<string>();

  constructor(state: Pick<StateStore, 'list'>) {
    this.#state = state;
  }

  /**
   * @param jobs what producers stored, as JSON
   * @returns the records of the workflows that these jobs belong to; those of one that was met a while ago may come again
   */
  async *of(jobs: readonly { readonly data: string }[]): AsyncIterable<readonly StateEntry[]> {
    for (const { data } of jobs) {
      const workflow = workflowOf(data);
      if (workflow === undefined || this.#seen.has(workflow)) continue;
      const entries = await this.#list(workflow);
      this.#remember(workflow);
      if (entries.length > 0) yield entries;
    }
  }

  async #list(workflow: string): Promise<readonly StateEntry[]> {
    try {
      return await this.#state.list(`workflow/${encodeURIComponent(workflow)}/`);
    } catch (error) {
      // A store of plain BullMQ may have no place for them.
      if (error instanceof TqError && error.code === 'BROKER_UNSUITABLE') return [];
      throw error;
    }
  }

  #remember(workflow: string): void {
    this.#seen.add(workflow);
    const [oldest] = this.#seen;
    if (this.#seen.size > REMEMBERED && oldest !== undefined) this.#seen.delete(oldest);
  }
}

/** The workflow that a job belongs to, by what its producer stored. */
function workflowOf(data: string): string | undefined {
  // Most jobs are of none, and large arguments need not be read for that.
  if (!data.includes('"workflow"')) return undefined;
  try {
    return decodeEnvelope(JSON.parse(data)).meta.workflow?.id;
  } catch {
    return undefined;
  }
}
