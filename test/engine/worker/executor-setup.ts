import type { Outcome } from '../../../src/engine/core/job.ts';
import { parseRetry } from '../../../src/engine/core/retry-policy.ts';
import type { Hooks } from '../../../src/engine/events/hooks.ts';
import { defineTask, type TaskDefinition } from '../../../src/engine/task/definition.ts';
import { createExecutor, type Executor, type ExecutorOptions } from '../../../src/engine/worker/executor.ts';
import { FakeJob, type FakeJobFields } from './fake-job.ts';
import {
  createFakeClock,
  type FakeClock,
  type HookCall,
  type RecordedLog,
  recordHooks,
  recordLog,
} from './recorded.ts';

export interface Bench {
  readonly executor: Executor;
  readonly clock: FakeClock;
  readonly log: RecordedLog;
  readonly calls: HookCall[];
  /** The names of the hooks that were called, in order. */
  hookNames(): string[];
  /** Performs a job and gives its outcome and the job. */
  perform(fields?: FakeJobFields): Promise<Outcome>;
}

/** An executor with one or several tasks (a function alone is `a.task`), random = 0.5, a clock, log and hooks recorded. */
export function setUp(
  tasks: readonly TaskDefinition[] | TaskDefinition['handler'],
  options: Partial<ExecutorOptions> & { readonly hooks?: Hooks } = {},
): Bench {
  const definitions = typeof tasks === 'function' ? [defineTask('a.task', tasks) as never as TaskDefinition] : tasks;
  const clock = createFakeClock();
  const log = recordLog();
  const recorded = recordHooks(options.hooks);
  const executor = createExecutor({
    worker: 'tq@test',
    tasks: new Map(definitions.map((definition) => [definition.name, definition])),
    clock,
    logger: log.logger,
    random: () => 0.5,
    unknownTasks: parseRetry({ max: 3, delay: '5s', maxDelay: '12s', jitter: false }, 'unknownTasks'),
    maxWorkerLost: 2,
    ...options,
    hooks: recorded.hooks,
  });
  return {
    executor,
    clock,
    log,
    calls: recorded.calls,
    hookNames: recorded.names,
    perform: (fields) => executor.perform(new FakeJob(fields)),
  };
}

/** `defineTask` for tests that keep tasks of several types in one list. */
export const define = defineTask as unknown as (
  name: string,
  options: Parameters<typeof defineTask>[1] | object,
  handler: TaskDefinition['handler'],
) => TaskDefinition;
