import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { messageOf, TqError } from '../core/errors.ts';

/** What a beat says of troubles: that the broker is away once, another error once until it changes. */
export class Absence {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #since: number | undefined;
  readonly #said = new Map<string, string>();

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @param doing what failed, as the end of "the beat could not …" */
  note(doing: string, error: unknown): void {
    if (error instanceof TqError && error.code === 'BROKER_UNAVAILABLE') {
      if (this.#since !== undefined) return;
      this.#since = this.#clock.monotonic();
      this.#logger.error(
        { err: error },
        `${error.message}: the beat waits for it; firings that are stored are not affected`,
      );
      return;
    }
    const message = messageOf(error);
    if (this.#said.get(doing) === message) return;
    this.#said.set(doing, message);
    this.#logger.error({ err: error }, `the beat could not ${doing}, and tries again`);
  }

  noteAnswer(): void {
    if (this.#since === undefined) return;
    const downMs = this.#clock.monotonic() - this.#since;
    this.#since = undefined;
    this.#logger.info({ down_ms: Math.round(downMs) }, 'the broker answers again');
  }

  /** It worked: the same error is said again when it comes back. */
  noteDone(doing: string): void {
    this.#said.delete(doing);
  }
}
