import { DelayedError, type Job, UnrecoverableError, WaitingChildrenError, WaitingError, Worker } from 'bullmq';
import fc from 'fast-check';
import { delayMs, reason, record, result, storedMs } from './choices.ts';

interface Returned {
  readonly kind: 'return';
  readonly value: unknown;
}
interface Thrown {
  readonly kind: 'throw' | 'throw-unrecoverable';
  readonly message: string;
}
/** Durations in milliseconds. */
interface PutOff {
  readonly kind: 'rate-limit' | 'delay';
  readonly ms: number;
}
interface HandedBack {
  readonly kind: 'wait' | 'wait-for-children';
}

/** How a worker's processor ends. */
export type Outcome = Returned | Thrown | PutOff | HandedBack;

const kinds = <Kind extends string>(...names: Kind[]): fc.Arbitrary<Kind> => fc.constantFrom(...names);

export const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 8, arbitrary: record<Returned>({ kind: kinds('return'), value: result }) },
  { weight: 8, arbitrary: record<Thrown>({ kind: kinds('throw', 'throw', 'throw-unrecoverable'), message: reason }) },
  { weight: 1, arbitrary: record<PutOff>({ kind: kinds('rate-limit'), ms: storedMs }) },
  { weight: 1, arbitrary: record<PutOff>({ kind: kinds('delay'), ms: delayMs }) },
  { weight: 2, arbitrary: record<HandedBack>({ kind: kinds('wait', 'wait-for-children') }) },
);

/** Does in a processor what ends the job so. */
export async function runOutcome(
  given: Outcome,
  own: { rateLimit(ms: number): Promise<void> },
  job: Job,
  token: string,
): Promise<unknown> {
  switch (given.kind) {
    case 'return':
      return given.value;
    case 'throw':
      throw new Error(given.message);
    case 'throw-unrecoverable':
      throw new UnrecoverableError(given.message);
    case 'rate-limit':
      await own.rateLimit(given.ms);
      throw Worker.RateLimitError();
    case 'delay':
      await job.moveToDelayed(Date.now() + given.ms, token);
      throw new DelayedError();
    case 'wait':
      await job.moveToWait(token);
      throw new WaitingError();
    case 'wait-for-children':
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
      return 'no children';
  }
}
