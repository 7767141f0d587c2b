import type { Logger } from 'pino';
import type { Broker, ConsumerOptions, TakenJob } from '../../broker/port.ts';
import type { Clock } from '../../core/clock.ts';
import type { StoredError } from '../../core/job.ts';
import type { DeadLetterSettings } from '../worker-settings.ts';
import { AlertCounting } from './alert-counting.ts';
import { type DeadLetter, toDeadLetter } from './dead-letter.ts';
import { LetterHook } from './letter-hook.ts';

export interface DeadLettersOptions extends DeadLetterSettings {
  readonly worker: string;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a worker does about the jobs that become dead letters in its hands, however that comes. What is not asked for costs nothing. */
export class DeadLetters {
  /** For the consumer: is told of each once it is stored. */
  readonly onDead: ConsumerOptions['onDead'];
  readonly #options: DeadLettersOptions;
  readonly #hook: LetterHook | undefined;
  readonly #alerts: AlertCounting | undefined;
  /** Those that are about to be stored. */
  readonly #noted = new WeakMap<TakenJob, DeadLetter>();

  constructor(options: DeadLettersOptions) {
    const { onDeadLetter: call, alerts = [], logger } = options;
    this.#options = options;
    if (alerts.length > 0) this.#alerts = new AlertCounting({ ...options, rules: alerts });
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
    if (this.#hook === undefined && this.#alerts === undefined) return undefined;
    const letter = toDeadLetter(job, error, this.#options.worker);
    this.#noted.set(job, letter);
    return this.#alerts?.count(letter);
  }

  /** The worker hands its jobs back: the broker is waited for no more. */
  abandon(): void {
    this.#alerts?.abandon();
  }

  /** When every outcome is stored. Waits for the last calls, but not for ever. */
  async stop(): Promise<void> {
    await this.#hook?.stop();
  }
}
