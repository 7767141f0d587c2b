import type { Logger } from 'pino';
import type { Outcome, StoredError } from '../core/job.ts';
import type { Hooks, TaskEvent } from '../events/hooks.ts';
import type { RunningTask } from './running-task.ts';

/**
 * Says what became of an attempt, to the log and to the application's hooks. Each function gives the outcome on, so that
 * the pipe of the executor ends in a report. Nothing here can change an outcome: a hook that throws is logged.
 */
export interface Reporter {
  started(task: RunningTask): Promise<void> | undefined;
  succeeded(task: RunningTask, ended: { result: unknown; durationMs: number }): Promise<Outcome> | Outcome;
  failed(task: RunningTask, outcome: Outcome, ended: { error: unknown; durationMs: number }): Promise<Outcome>;
  /** An attempt that ended without the task function having been called, or being waited for. */
  ended(task: RunningTask, outcome: Outcome): Promise<Outcome>;
}

export function createReporter({ logger, hooks }: { logger: Logger; hooks: Hooks }): Reporter {
  const call = async (name: keyof Hooks, task: RunningTask, more: Record<string, unknown>): Promise<void> => {
    const hook = hooks[name] as ((event: TaskEvent) => unknown) | undefined;
    if (hook === undefined) return;
    try {
      await hook({ ...toEvent(task), ...more });
    } catch (error) {
      logger.error({ ...task.fields, err: error }, `the hook ${name} failed; the job is not affected`);
    }
  };

  return {
    started(task) {
      if (logger.isLevelEnabled('debug')) logger.debug(task.fields, 'task started');
      return hooks.taskStart === undefined ? undefined : call('taskStart', task, {});
    },
    succeeded(task, { result, durationMs }) {
      if (logger.isLevelEnabled('info')) {
        logger.info({ ...task.fields, duration_ms: round(durationMs) }, 'task succeeded');
      }
      const outcome: Outcome = { kind: 'succeeded', result };
      if (hooks.taskSuccess === undefined) return outcome;
      return call('taskSuccess', task, { durationMs, result }).then(() => outcome);
    },
    async failed(task, outcome, { error, durationMs }) {
      logEnd(logger, task, { outcome, error, durationMs });
      const isAgain = outcome.kind === 'retry' || outcome.kind === 'lost';
      if (isAgain || outcome.kind === 'dead') await call('taskFailure', task, { durationMs, error });
      if (isAgain) await call('taskRetry', task, { delayMs: outcome.delayMs, error });
      if (outcome.kind === 'dead') await call('taskDead', task, { error: outcome.error });
      return outcome;
    },
    async ended(task, outcome) {
      logEnd(logger, task, { outcome });
      if (outcome.kind === 'dead') await call('taskDead', task, { error: outcome.error });
      return outcome;
    },
  };
}

function toEvent(task: RunningTask): TaskEvent {
  const { id, task: name, queue, attempt, requestId, worker, headers } = task;
  return { id, task: name, queue, attempt, requestId, worker, headers };
}

interface End {
  readonly outcome: Outcome;
  readonly error?: unknown;
  readonly durationMs?: number;
}

function logEnd(logger: Logger, task: RunningTask, { outcome, error, durationMs }: End): void {
  const fields = { ...task.fields, ...(durationMs !== undefined && { duration_ms: round(durationMs) }) };
  switch (outcome.kind) {
    case 'retry':
      logger.warn({ ...fields, retry_in_ms: outcome.delayMs, err: error }, 'task failed, it will be retried');
      return;
    case 'lost':
      logger.warn(
        { ...fields, retry_in_ms: outcome.delayMs, err: error },
        'the process of the task died, the job is run again',
      );
      return;
    case 'dead':
      logger.error({ ...fields, err: error ?? toLogged(outcome.error) }, 'task failed, the job is a dead letter');
      return;
    case 'ended':
      logger.info({ ...fields, reason: outcome.reason }, `task ${outcome.state.toLowerCase()}`);
      return;
    case 'postponed':
      logger.warn({ ...fields, retry_in_ms: outcome.delayMs }, 'unknown task, the job is put back');
      return;
    case 'released':
      logger.info(fields, 'job handed back to its queue');
      return;
    case 'failed':
      logger.error({ ...fields, err: toLogged(outcome.error) }, 'workflow failed');
      return;
    case 'replaced':
      logger.info(fields, 'task replaced by a workflow');
      return;
    case 'held':
    case 'blocked':
    case 'succeeded':
      return;
  }
}

function toLogged({ name, message, code, stack }: StoredError): Error {
  const error = new Error(message);
  return Object.assign(error, { name, code, stack: stack ?? `${name}: ${message}` });
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
