/**
 * Tells the application of dead letters: calls its `onDeadLetter`.
 *
 * 1. `tell` is called once the dead letter is stored. A worker that dies in that moment does not come to it, so a dead letter is told
 *    at most once; what must not be missed is counted by alerts (alert-counting.ts) or read from the broker.
 * 2. At most `AT_ONCE` calls run at a time; further letters wait, at most `WAITING` of them. More are not told, which the log says.
 * 3. A call that lasts longer than `LONGEST_MS` is waited for no more, and its place goes to the next one.
 * 4. `stop` waits for what runs and waits, up to `LAST_CALLS_MS`.
 *
 * Whatever the function does, no job is affected.
 */
import type { Logger } from 'pino';
import { within } from '../settling.ts';
import type { DeadLetter, OnDeadLetter } from './dead-letter.ts';

const AT_ONCE = 16;
const WAITING = 1000;
const LONGEST_MS = 30_000;
const LAST_CALLS_MS = 5000;

export interface LetterHookOptions {
  readonly call: OnDeadLetter;
  readonly logger: Logger;
  /** How long a call may last. Default 30 s. */
  readonly longestMs?: number;
  /** How long `stop` waits. Default 5 s. */
  readonly lastCallsMs?: number;
}

export class LetterHook {
  readonly #options: LetterHookOptions;
  readonly #waiting: DeadLetter[] = [];
  #running = 0;
  #untold = 0;
  #whenIdle: (() => void) | undefined;

  constructor(options: LetterHookOptions) {
    this.#options = options;
  }

  /** Never throws, and waits for nothing. */
  tell(letter: DeadLetter): void {
    if (this.#running < AT_ONCE) void this.#run(letter);
    else if (this.#waiting.length < WAITING) this.#waiting.push(letter);
    else this.#leaveOut();
  }

  /** Resolves when every call has ended, or when that takes too long. */
  async stop(): Promise<void> {
    if (this.#running === 0) return;
    const { lastCallsMs = LAST_CALLS_MS, logger } = this.#options;
    const idle = new Promise<true>((resolve) => {
      this.#whenIdle = () => resolve(true);
    });
    if (await within(idle, lastCallsMs)) return;
    const left = this.#running + this.#waiting.splice(0).length;
    logger.warn(
      { left },
      'the worker ends though calls of onDeadLetter have not ended; `tq dlq list` shows the dead letters, let the function give up sooner',
    );
  }

  async #run(first: DeadLetter): Promise<void> {
    this.#running += 1;
    for (let letter: DeadLetter | undefined = first; letter !== undefined; letter = this.#waiting.shift()) {
      await this.#call(letter);
    }
    this.#running -= 1;
    if (this.#running === 0) this.#end();
  }

  #end(): void {
    if (this.#untold > 0) {
      const message =
        'onDeadLetter took too long to be told of all dead letters; `tq dlq list` shows them, let the function hand its work on';
      this.#options.logger.warn({ untold: this.#untold }, message);
      this.#untold = 0;
    }
    this.#whenIdle?.();
  }

  async #call(letter: DeadLetter): Promise<void> {
    const { call, logger, longestMs = LONGEST_MS } = this.#options;
    const { id, task, queue } = letter;
    const fields = { task_id: id, task_name: task, queue };
    const called = callSafely(call, letter, (error) =>
      logger.error(
        { ...fields, err: error },
        'onDeadLetter failed; the dead letter is stored all the same: mend the function that createApp() was given',
      ),
    );
    if (await within(called, longestMs)) return;
    const message =
      'onDeadLetter has not ended and is waited for no more; let it give up in time, for example by AbortSignal.timeout()';
    logger.error({ ...fields, waited_ms: longestMs }, message);
  }

  #leaveOut(): void {
    this.#untold += 1;
    if (this.#untold > 1) return;
    this.#options.logger.warn(
      { waiting: WAITING },
      'onDeadLetter is too slow for the dead letters that come; further ones are not told until it has caught up, `tq dlq list` shows them',
    );
  }
}

async function callSafely(call: OnDeadLetter, letter: DeadLetter, onError: (error: unknown) => void): Promise<true> {
  try {
    await call(letter);
  } catch (error) {
    onError(error);
  }
  return true;
}
