import { openResultStore } from '../broker/result-store/open-result-store.ts';
import type { ResultStore } from '../broker/result-store/result-port.ts';
import { readProjectResults } from '../config/project-broker.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';

interface AppResultsOptions {
  /** Undefined looks into tq.config at the first use. */
  readonly url: string | undefined;
  readonly clock: Clock;
  /** Where the search for tq.config begins. */
  readonly cwd: string | undefined;
}

/** The result store of an app: opened at its first use, and shared by its workers and its readers. */
export class AppResultStore {
  readonly #options: AppResultsOptions;
  #url: string | undefined;
  #opening: Promise<ResultStore | undefined> | undefined;

  constructor(options: AppResultsOptions) {
    this.#options = options;
    this.#url = options.url;
  }

  get url(): string | undefined {
    return this.#url;
  }

  /** @throws INVALID_OPTION after the first use */
  use(url: string): void {
    if (this.#opening !== undefined) {
      throw createError('INVALID_OPTION', {
        what: 'the result store',
        expected: 'set before its first use',
        given: 'a change',
      });
    }
    this.#url = url;
  }

  /** @returns undefined when results are kept in the broker alone */
  open(): Promise<ResultStore | undefined> {
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    const store = await this.#opening?.catch(() => undefined);
    await store?.close();
  }

  async #open(): Promise<ResultStore | undefined> {
    const { clock, cwd } = this.#options;
    this.#url ??= await readProjectResults(cwd ?? process.cwd());
    return this.#url === undefined ? undefined : await openResultStore(this.#url, { clock });
  }
}
