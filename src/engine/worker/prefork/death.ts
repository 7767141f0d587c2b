import { createError } from '../../core/errors.ts';
import { type Outcome, type StoredError, toStoredError } from '../../core/job.ts';
import type { AttemptJob } from '../attempt-job.ts';
import { EXIT_FAULT, PIPE_ENDED } from './protocol.ts';

/** How a child process ended. */
export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last words on stderr. */
  readonly stderr: string;
  /** The error that nothing caught, if that was it. */
  readonly uncaught: StoredError | undefined;
  /** Why the parent put an end to it, if it did. */
  readonly reason: string | undefined;
}

interface Cause {
  /** `exit code 1`, `SIGSEGV`, `out of memory (SIGABRT)`: the end of "died: …". */
  readonly how: string;
  /** What most often mends it. */
  readonly next: string;
}

/** What Node and V8 print before they give up. */
const OUT_OF_HEAP =
  /heap out of memory|Reached heap limit|Array buffer allocation failed|FATAL ERROR: .*[Oo]ut of memory/;

const PIPE_CLOSED = { how: 'it closed its pipe to the worker', next: 'look at what the task does to file descriptors' };

export function describeDeath({ code, signal, stderr, uncaught, reason }: Death): Cause {
  if (reason !== undefined)
    return { how: reason, next: 'look at what the task does to its process and its descriptors' };
  if (stderr.includes(PIPE_ENDED)) return PIPE_CLOSED;
  const how = signal ?? `exit code ${code}`;
  if (OUT_OF_HEAP.test(stderr)) {
    return {
      how: `out of memory (${how})`,
      next: 'let the task hold less at once, or raise the limit with NODE_OPTIONS=--max-old-space-size=MEGABYTES',
    };
  }
  if (signal === 'SIGKILL') {
    return { how, next: 'it was killed from outside: by the system when memory ran out, or by somebody' };
  }
  if (signal !== null)
    return { how, next: 'look for native modules that crash, and at the output of the process in the log' };
  if (code === EXIT_FAULT) {
    return {
      how: `${how}, a task has broken its process: ${uncaught?.message ?? 'no word about it'}`,
      next: 'look at what tasks change of the built-ins of the language',
    };
  }
  if (uncaught?.code === 'WORKER_IN_CHILD') {
    const { message: why, next } = createError('WORKER_IN_CHILD', {});
    return { how: why, next };
  }
  if (uncaught !== undefined) {
    return {
      how: `${how}, uncaught ${uncaught.name}: ${uncaught.message}`,
      next: 'await every promise, and catch the errors of callbacks, timers and event emitters',
    };
  }
  return { how, next: 'let the task throw an error instead of ending its process' };
}

/** The wait before a job is taken up again: not at once, because what killed the process may take a moment to pass. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 800;

/**
 * What becomes of the job of a process that died: it is taken up again and charged no attempt, until it has lost more
 * workers than it may. It is better to run it twice than to lose it, and better to give it up than to lose every process
 * to it.
 */
export function judgeDeath(
  job: Pick<AttemptJob, 'task' | 'workersLost'>,
  death: Death,
  maxWorkerLost: number,
): Extract<Outcome, { kind: 'lost' | 'dead' }> {
  const times = job.workersLost + 1;
  const { how, next } = describeDeath(death);
  const lost = toStoredError(createError('WORKER_LOST', { task: job.task, times, how, next }));
  // The frames of the error that nothing caught say more than those of this function.
  const error: StoredError = { ...lost, stack: death.uncaught?.stack ?? null };
  if (times > maxWorkerLost) return { kind: 'dead', error };
  return { kind: 'lost', delayMs: Math.min(FIRST_WAIT_MS * 2 ** (times - 1), LONGEST_WAIT_MS), error };
}
