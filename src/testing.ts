/** What `import { runTask } from 'taskq/testing'` gives: unit tests of tasks, without a broker and without a worker. */
import { Writable } from 'node:stream';
import type { Task } from './engine/app/task.ts';
import { assertJson, encodeJson } from './engine/core/json.ts';
import { createLogger } from './engine/runtime/logger.ts';
import { systemClock } from './engine/runtime/system-clock.ts';
import { parseArguments } from './engine/task/arguments.ts';
import { type AnySignature, runInContext, type TaskContext } from './engine/task/context.ts';
import type { TaskDefinition } from './engine/task/definition.ts';
import { Replaced, Retry } from './engine/task/exceptions.ts';
import { judge } from './engine/worker/judge.ts';

/** Parts of the context that a test may set; the others have values of their own. */
export type ContextOverrides = Partial<Omit<TaskContext, 'task' | 'log' | 'progress' | 'retry' | 'replace' | 'add'>>;

/** What became of one attempt. */
export interface TaskRun<Result> {
  /** What a worker would make of it: `failure` and `rejected` are dead letters. */
  readonly outcome: 'success' | 'retry' | 'ignored' | 'rejected' | 'failure' | 'replaced';
  /** What the task gave, when it succeeded. */
  readonly result: Result | undefined;
  /** What the task threw, when it did not. */
  readonly error: unknown;
  /** Milliseconds until the next attempt of a retry; under jitter the longest wait it may draw. */
  readonly retryInMs: number | undefined;
  /** What was given to `context().progress()`, in order. */
  readonly progress: readonly unknown[];
  /** What was given to `context().replace()`. */
  readonly replacedBy: AnySignature | undefined;
  /** What was given to `context().add()`, in order. */
  readonly added: readonly AnySignature[];
  /** What was written to `context().log`, as the lines of JSON that a worker writes. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Runs one attempt of a task here and now: the arguments pass through JSON and the schema of the task as they do on
 * their way to a worker, and the worker's own judge decides what becomes of an error. There is no broker and there are no
 * timers: limits do not pass, and a retry is not run. A test of the last attempt sets `attempt`; one of a limit or of a
 * worker that stops gives a `signal` and aborts it.
 *
 * @param task what `app.task()` or `defineTask()` gave
 * @param args its arguments, as for `apply()`
 * @returns resolves whatever the task does; an error of the task is in `error`
 */
export async function runTask<Args extends readonly unknown[], Result>(
  task: Task<Args, Result> | TaskDefinition<Args, Result>,
  args: NoInfer<Args>,
  overrides: ContextOverrides = {},
): Promise<TaskRun<Result>> {
  const definition = (typeof task === 'function' ? task.definition : task) as unknown as TaskDefinition;
  const recorded: Recorded = { progress: [], log: [], replacedBy: undefined, added: [] };
  const context = createContext(definition.name, overrides, recorded);
  const ended = { result: undefined, error: undefined, retryInMs: undefined, ...recorded };
  try {
    const sent = JSON.parse(encodeJson(args, `the arguments of task "${definition.name}"`, 'args')) as unknown[];
    const parsed = await parseArguments(definition, sent, 'running');
    const result = await runInContext(context, async () => definition.handler(...(parsed as never[])));
    if (result !== undefined) assertJson(result, `the result of task "${definition.name}"`, 'result');
    return { ...ended, outcome: 'success', result: result as Result };
  } catch (error) {
    const job = { id: context.id, task: definition.name, attempts: context.attempt, meta: {} };
    if (error instanceof Replaced) return { ...ended, ...recorded, outcome: 'replaced' };
    const outcome = judge({ error, job, definition, random: () => 1 - Number.EPSILON, stopping: false });
    if (outcome.kind === 'retry') return { ...ended, outcome: 'retry', error, retryInMs: outcome.delayMs };
    if (outcome.kind === 'ended') return { ...ended, outcome: 'ignored', error };
    const isRejected = outcome.kind === 'dead' && outcome.error.code === 'REJECTED';
    return { ...ended, outcome: isRejected ? 'rejected' : 'failure', error };
  }
}

interface Recorded {
  readonly progress: unknown[];
  readonly log: Record<string, unknown>[];
  replacedBy: AnySignature | undefined;
  readonly added: AnySignature[];
}

function createContext(task: string, overrides: ContextOverrides, recorded: Recorded): TaskContext {
  const { id = 'test-job', rootId = id, requestId = rootId, queue = 'default', attempt = 1 } = overrides;
  const { worker = 'test-worker', signal = new AbortController().signal, schedule = null } = overrides;
  const fields = { task_id: id, task_name: task, queue, attempt, request_id: requestId, worker };
  const base = schedule === null ? fields : { ...fields, schedule: schedule.entry };
  return {
    ...{ id, task, queue, attempt, requestId, rootId, worker, signal, schedule },
    parentId: overrides.parentId ?? null,
    headers: overrides.headers ?? {},
    createdAt: overrides.createdAt ?? systemClock.now(),
    log: createLogger({ level: 'trace', destination: recordLines(recorded.log), base }).log,
    async progress(value) {
      recorded.progress.push(JSON.parse(encodeJson(value, `the progress of task "${task}"`, 'progress')));
    },
    retry(options) {
      throw new Retry(undefined, options);
    },
    replace(signature) {
      recorded.replacedBy = signature;
      throw new Replaced({ nodes: [], entry: 0, exit: 0 });
    },
    async add(signature) {
      recorded.added.push(signature);
    },
  };
}

function recordLines(lines: Record<string, unknown>[]): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      lines.push(JSON.parse(text) as Record<string, unknown>);
      done();
    },
  });
}
