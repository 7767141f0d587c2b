/** One job that something could not be done to. */
export interface JobFailure {
  readonly id: string;
  /** Why, as the end of the sentence "job ID was left alone: …". */
  readonly message: string;
}

/** What a report names; the rest of a million is only counted. */
const MAX_NAMED = 100;

/** The jobs that an operation left alone: the first of them by name, all of them counted, so that its memory does not grow. */
export class FailureList {
  readonly #named: JobFailure[] = [];
  #count = 0;

  add(id: string, message: string): void {
    this.#count += 1;
    if (this.#named.length < MAX_NAMED) this.#named.push({ id, message });
  }

  get count(): number {
    return this.#count;
  }

  get named(): readonly JobFailure[] {
    return this.#named;
  }
}
