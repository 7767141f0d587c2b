import { setTimeout as wait } from 'node:timers/promises';
import type { IQueueBackend } from 'bullmq';
import { isTrouble } from './trouble.ts';

/**
 * A backend that waits out the store's absence, for consumers.
 *
 * BullMQ itself takes only a refused connection for an absence. Everything else that a restart brings (a terminated
 * session of PostgreSQL, a cut pipe) it takes for the failure of the operation, and a job that succeeded while the store
 * went away would be stored as failed. Here every operation of the loop is tried again, with growing waits, until it gets
 * an answer or the consumer gives up (`abandon`).
 *
 * An operation that was cut may have been carried out. Storing an outcome a second time is then refused, because the job
 * is no longer ours: that is no error, and neither is a lock that ran out meanwhile. Another worker has the job, the
 * outcome is dropped and said through `onLockLost`.
 */
export interface PatientBackendOptions {
  readonly onTrouble: (error: Error) => void;
  readonly onAnswer: () => void;
  readonly onLockLost: (jobId: string, error: Error) => void;
  /** Aborts when the consumer gives up; waiting operations then fail with the error of the store. */
  readonly abandon: AbortSignal;
}

/** They store an outcome. */
const OUTCOMES = [
  'moveToCompleted',
  'moveToFailed',
  'moveToDelayed',
  'moveJobFromActiveToWait',
  'moveToWaitingChildren',
  'retryJob',
] as const;

const PATIENT = [
  ...OUTCOMES,
  'moveToActive',
  'addLog',
  'getJobLogs',
  'updateProgress',
  'removeDeduplicationKey',
  'isJobScheduler',
  'updateJobSchedulerNextMillis',
] as const;

/** Makes the backend of a consumer patient: the same object, which nobody else uses, with its operations replaced. */
export function createPatientBackend(inner: IQueueBackend, options: PatientBackendOptions): IQueueBackend {
  const answered = (answer: unknown): unknown => {
    options.onAnswer();
    return answer;
  };
  for (const property of PATIENT) {
    overrideMethod(inner, property, (method) => (...args) => {
      // Every job passes here, and hardly ever meets trouble: the first try costs no loop.
      const operation = (): Promise<unknown> => method(...args) as Promise<unknown>;
      return operation().then(answered, (error) => untilAnswered(operation, { property, args, error }, options));
    });
  }
  return inner;
}

type Method = (...args: unknown[]) => unknown;

/** Replaces one method of a backend that this process made and nobody else uses. */
export function overrideMethod(
  backend: IQueueBackend,
  name: keyof IQueueBackend,
  replace: (method: Method) => Method,
): void {
  const methods = backend as unknown as Record<string, Method | undefined>;
  const method = methods[name];
  if (method !== undefined) methods[name] = replace(method.bind(backend));
}

interface Failed {
  readonly property: PropertyKey;
  readonly args: readonly unknown[];
  readonly error: unknown;
}

async function untilAnswered(
  operation: () => Promise<unknown>,
  { property, args, error: first }: Failed,
  options: PatientBackendOptions,
): Promise<unknown> {
  let error = first;
  for (let attempt = 0; isTrouble(error) && !options.abandon.aborted; attempt += 1) {
    options.onTrouble(error as Error);
    await wait(Math.min(50 * 2 ** attempt, 2000), undefined, { signal: options.abandon }).catch(() => undefined);
    try {
      const answer = await operation();
      options.onAnswer();
      return answer;
    } catch (next) {
      error = next;
    }
  }
  const jobId = lostJobId(property, args, error);
  if (jobId === undefined) throw error;
  options.onAnswer();
  options.onLockLost(jobId, error as Error);
  const storesResult = property === 'moveToCompleted' || property === 'moveToFailed';
  return storesResult ? { result: undefined, finishedOn: 0 } : undefined;
}

/** BullMQ's codes for a job that is not ours any more: missing, no lock, not active, locked by another (its ErrorCode). */
const NOT_OURS = new Set([-1, -2, -3, -6]);

function lostJobId(property: PropertyKey, args: readonly unknown[], error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  if (!(OUTCOMES as readonly PropertyKey[]).includes(property) || typeof code !== 'number' || !NOT_OURS.has(code))
    return undefined;
  const [first] = args;
  return typeof first === 'string' ? first : ((first as { id?: string } | undefined)?.id ?? '');
}
