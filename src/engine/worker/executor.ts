/**
 * An attempt, from the taken job to its outcome.
 *
 * 1. refuse: a stopping worker takes nothing new; a revoked job, data that is not JSON, a job whose workers were lost too
 *    often and an expired job end here;
 * 2. resolve the task; an unknown one is put back for a newer worker (unknown-task.ts), and one that may be started only once
 *    is not started again (at-most-once.ts);
 * 3. parse the arguments by the task's schema; a mismatch is a dead letter at once, a retry cannot help;
 * 4. arm the time limits;
 * 5. perform the task function in its context, until it ends, its time limit passes or the job is handed back;
 * 6. judge what was thrown (judge.ts);
 * 7. report to log and hooks.
 *
 * A consumer calls `perform` once for each taken job; it never rejects. The executor takes no jobs, decides no
 * concurrency and prints nothing. The outcome is stored by the consumer after `perform`: a job is acknowledged only when
 * its outcome is stored, and if that fails its lock runs out and another worker runs it again. Twice is better than never.
 */
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { type Outcome, toStoredError } from '../core/job.ts';
import { assertJson } from '../core/json.ts';
import type { RetryPolicy } from '../core/retry-policy.ts';
import { createTaskRevoked, type Revocation } from '../core/revocation.ts';
import type { Hooks } from '../events/hooks.ts';
import { hasSchema, parseArguments } from '../task/arguments.ts';
import { runInContext } from '../task/context.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { findTask } from '../task/mapping.ts';
import { handBack, refuseSecondStart } from './at-most-once.ts';
import type { AttemptJob } from './attempt-job.ts';
import { createReporter, type Reporter } from './attempt-report.ts';
import { judge } from './judge.ts';
import { findRefusal } from './refusal.ts';
import { type Compile, RunningTask, workerStopping } from './running-task.ts';
import { armLimits, type WorkerLimits } from './time-limits.ts';
import { postponeUnknown } from './unknown-task.ts';

export interface ExecutorOptions extends WorkerLimits {
  readonly worker: string;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** Tasks of tq's own that it runs beside them. */
  readonly ownTasks?: ReadonlyMap<string, TaskDefinition> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: Hooks;
  readonly random: () => number;
  /** How an unknown task is put back: so often, with these waits. */
  readonly unknownTasks: RetryPolicy;
  readonly maxWorkerLost: number;
  /** Time limits are armed elsewhere: by the parent of this process, which can also end it. Default false. */
  readonly limitsElsewhere?: boolean;
  /** The logger behind `context().log`. Default `logger`. */
  readonly taskLogger?: Logger;
  /** Is told when the attempt itself failed, which by design it cannot: what it stands on may be broken. */
  readonly onFault?: (error: unknown) => void;
  /** Makes graphs of the signatures that tasks replace themselves by. */
  readonly compile?: Compile;
}

export interface Executor {
  perform(job: AttemptJob): Promise<Outcome>;
  /** From now on, every job that is taken is handed back untouched. */
  refuse(): void;
  /** Aborts the signals of all running tasks. */
  abortAll(): void;
  /** Hands all running jobs back to their queues; their functions go on, but nobody waits for them. */
  releaseAll(): void;
  /** As that of a pool. */
  revoke(job: Pick<AttemptJob, 'id' | 'queue'>, order: { revocation: Revocation; terminate: boolean }): boolean;
  /** Jobs that had started and went back to their queues. */
  readonly handedBack: number;
  readonly running: ReadonlySet<RunningTask>;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const running = new Set<RunningTask>();
  const attemptOptions: AttemptOptions = { ...options, reporter: createReporter(options) };
  let refusing = false;
  let handedBack = 0;

  return {
    running,
    get handedBack() {
      return handedBack;
    },
    async perform(job) {
      if (refusing) return { kind: 'released' };
      const task = new RunningTask(job, options.worker, options.taskLogger ?? options.logger, options.compile);
      running.add(task);
      try {
        const outcome = await runAttempt(job, task, attemptOptions);
        if (outcome.kind === 'released') handedBack += 1;
        return outcome;
      } catch (error) {
        // Nothing above throws by design; if it does, the job must not be lost: it is judged like a failing task.
        options.onFault?.(error);
        options.logger.error({ ...task.fields, err: error }, 'the attempt itself failed');
        return { kind: 'dead', error: toStoredError(error) };
      } finally {
        running.delete(task);
      }
    },
    refuse() {
      refusing = true;
    },
    abortAll() {
      for (const task of running) task.abort(workerStopping(options.worker));
    },
    releaseAll() {
      for (const task of running) task.release();
    },
    revoke({ id, queue }, { revocation, terminate }) {
      let hadBegun = false;
      for (const task of running) {
        if (task.id !== id || task.queue !== queue) continue;
        hadBegun ||= task.hasBegun;
        task.revoke(revocation, terminate);
      }
      return hadBegun;
    },
  };
}

type AttemptOptions = ExecutorOptions & { readonly reporter: Reporter };

async function runAttempt(job: AttemptJob, task: RunningTask, options: AttemptOptions): Promise<Outcome> {
  const refusal = findRefusal(job, options);
  if (refusal !== undefined) return options.reporter.ended(task, refusal);
  const definition = findTask(options, job.task);
  if (definition === undefined) return options.reporter.ended(task, await postponeUnknown(job, options));
  const second = refuseSecondStart(job, definition);
  if (second !== undefined) return options.reporter.ended(task, second);
  if (definition.keepResultSeconds === false) job.dropResult();
  const noted = job.noteStart();
  if (noted !== undefined) await noted;
  const startedAt = options.clock.monotonic();
  const reported = options.reporter.started(task);
  if (reported !== undefined) await reported;
  let result: unknown;
  try {
    const args = hasSchema(definition) ? await parseArguments(definition, job.args, 'running') : job.args;
    result = await performTask(definition, args, { job, task, options });
    if (result !== undefined && result !== NOT_BEGUN && result !== RELEASED) {
      assertJson(result, `the result of task "${definition.name}"`, 'result');
    }
  } catch (error) {
    const { isStopping: stopping, revoked } = task;
    const outcome = judge({ error, job, definition, random: options.random, stopping, revoked });
    return options.reporter.failed(task, outcome, { error, durationMs: options.clock.monotonic() - startedAt });
  }
  if (result === NOT_BEGUN) return options.reporter.ended(task, { kind: 'released' });
  if (result === RELEASED) return options.reporter.ended(task, handBack(definition));
  return options.reporter.succeeded(task, { result, durationMs: options.clock.monotonic() - startedAt });
}

const NOT_BEGUN = Symbol('not begun');
const RELEASED = Symbol('released');
const NOTHING_TO_DISARM = (): void => {};

interface Performing {
  readonly job: AttemptJob;
  readonly task: RunningTask;
  readonly options: AttemptOptions;
}

/** The only place that calls the user's function. Gives its result, NOT_BEGUN or RELEASED; throws what it throws. */
function performTask(definition: TaskDefinition, args: readonly unknown[], performing: Performing): unknown {
  const { job, task } = performing;
  // Its job was revoked, or the worker was stopped meanwhile: a function that has not begun is not begun.
  if (task.revoked !== undefined) throw createTaskRevoked(job, task.revoked, false);
  if (task.isStopping || task.isReleased) return NOT_BEGUN;
  const ended = runInContext(task, async () => definition.handler(...(args as never[])));
  return untilEnded(ended, definition, performing);
}

/** Waits for the function, for its time limit or for its job to be given up, whichever comes first. */
function untilEnded(
  ended: Promise<unknown>,
  definition: TaskDefinition,
  { job, task, options }: Performing,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const disarm = options.limitsElsewhere
      ? NOTHING_TO_DISARM
      : armLimits({
          job,
          definition,
          worker: options,
          onSoft: (error) => task.abort(error),
          // It aborts the signal too, and gives the attempt up.
          onHard: (error) => {
            task.abort(error);
            logLeak(task, ended);
            reject(error);
          },
        });
    task.begin((error) => {
      disarm();
      logLeak(task, ended);
      if (error === undefined) resolve(RELEASED);
      else reject(error);
    });
    ended.then(
      (result) => {
        disarm();
        resolve(result);
      },
      (error) => {
        disarm();
        reject(error);
      },
    );
  });
}

/** A function cannot be killed in this process: it goes on, holds its memory and may still have effects. */
function logLeak(task: RunningTask, ended: Promise<unknown>): void {
  task.log.warn('the task is given up, but its function goes on in this process');
  ended.then(
    () => task.log.warn('the function of a task that was given up has ended'),
    (error) => task.log.warn({ err: error }, 'the function of a task that was given up has failed'),
  );
}
