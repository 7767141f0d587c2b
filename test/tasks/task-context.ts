import { pino } from 'pino';
import { runInContext, type TaskContext } from '../../src/engine/task/context.ts';
import type { TaskDefinition } from '../../src/engine/task/definition.ts';
import { Retry } from '../../src/engine/task/exceptions.ts';
import type { BuiltinEnvironment } from '../../src/tasks/builtin-options.ts';

export interface RunOptions {
  readonly id?: string;
  readonly signal?: AbortSignal;
  /** Receives what the task reports as its progress. */
  readonly onProgress?: (value: unknown) => void;
}

/** Checks the input by the task's schema and runs its handler in a context, as a worker does. */
export async function runTask<Input, Result>(
  definition: TaskDefinition<[Input], Result>,
  input: Input,
  options: RunOptions = {},
): Promise<Result> {
  const checked = await definition.input?.['~standard'].validate(input);
  if (checked?.issues !== undefined) throw new InputFault(checked.issues.map(describeIssue).join('; '));
  const handler = definition.handler as (input: unknown) => Promise<Result>;
  return runInContext(createTestContext(definition.name, options), () => handler(checked?.value));
}

/** The input does not fit the schema of the task; the engine makes InvalidArguments of it. */
export class InputFault extends Error {}

/** For tasks that ask for no health. */
const nobody = (): never => {
  throw new Error('nobody is there to ask');
};
const NOBODY: BuiltinEnvironment['health'] = { ping: nobody, listQueues: nobody, listWorkers: nobody };

/** The environment of the built-in tasks on a development machine. */
export function createTestEnvironment(cwd: string, changes: Partial<BuiltinEnvironment> = {}): BuiltinEnvironment {
  return { smtpUrl: undefined, emailFrom: undefined, production: false, cwd, health: NOBODY, ...changes };
}

function createTestContext(task: string, options: RunOptions): TaskContext {
  const id = options.id ?? '01890a5d-ac96-774b-bcce-b302099a8057';
  return {
    id,
    task,
    queue: 'default',
    attempt: 1,
    requestId: id,
    rootId: id,
    parentId: null,
    headers: {},
    worker: 'tq@test',
    createdAt: 0,
    schedule: null,
    signal: options.signal ?? new AbortController().signal,
    log: pino({ enabled: false }),
    progress: async (value) => options.onProgress?.(value),
    replace: () => {
      throw new Error('not in this test');
    },
    add: async () => {},
    retry: (retry) => {
      throw new Retry(undefined, retry);
    },
  };
}

function describeIssue(issue: { message: string; path?: readonly unknown[] | undefined }): string {
  const keys = (issue.path ?? []).map((part) => (typeof part === 'object' ? (part as { key: unknown }).key : part));
  return `${keys.join('.')} ${issue.message}`.trim();
}
