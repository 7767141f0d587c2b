import type { Logger } from 'pino';
import type { ConsumerOptions, TakenJob } from '../../broker/port.ts';
import type { StoredError } from '../../core/job.ts';
import type { DeadLetterSettings } from '../worker-settings.ts';
import { type DeadLetter, toDeadLetter } from './dead-letter.ts';
import { LetterHook } from './letter-hook.ts';

export interface DeadLettersOptions extends DeadLetterSettings {
  readonly worker: string;
  readonly logger: Logger;
}

/** What a worker does about the jobs that become dead letters in its hands, however that comes. What is not asked for costs nothing. */
export class DeadLetters {
  /** For the consumer: is told of each once it is stored. */
  readonly onDead: ConsumerOptions['onDead'];
  readonly #options: DeadLettersOptions;
  readonly #hook: LetterHook | undefined;
  /** Those that are about to be stored. */
  readonly #noted = new WeakMap<TakenJob, DeadLetter>();

  constructor(options: DeadLettersOptions) {
    const { onDeadLetter: call, logger } = options;
    this.#options = options;
    if (call === undefined) return;
    const hook = new LetterHook({ call, logger });
    this.#hook = hook;
    this.onDead = (job) => {
      const letter = this.#noted.get(job);
      if (letter !== undefined) hook.tell(letter);
    };
  }

  /** A job is going to be a dead letter. @returns what its outcome must wait for; never rejects */
  note(job: TakenJob, error: StoredError): Promise<void> | undefined {
    if (this.#hook === undefined) return undefined;
    this.#noted.set(job, toDeadLetter(job, error, this.#options));
    return undefined;
  }

  /** When every outcome is stored. Waits for the last calls, but not for ever. */
  async stop(): Promise<void> {
    await this.#hook?.stop();
  }
}
