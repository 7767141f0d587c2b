import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { SignatureSender } from '../canvas/signature.ts';
import { createTaskSignatures, type TaskSignatures } from '../canvas/task-signatures.ts';
import type { AsyncResult } from '../results/async-result.ts';
import { parseArguments } from '../task/arguments.ts';
import type { TaskDefinition, TaskOptions } from '../task/definition.ts';
import type { CallOptions } from './call-options.ts';

/** A registered task: a plain function that can also be called in a worker. */
export interface Task<Args extends readonly unknown[] = readonly unknown[], Result = unknown>
  extends TaskSignatures<Args, Result> {
  /** Runs the task here and now: no job, no retries, no limits. Arguments are checked as in a worker. */
  (...args: Args): Promise<Result>;
  readonly taskName: string;
  readonly definition: TaskDefinition<Args, Result>;
  /** Sends a job. The short form of `apply` without options. */
  delay(...args: Args): Promise<AsyncResult<Result>>;
  /** Sends a job with options. */
  apply(args: Args, options?: CallOptions): Promise<AsyncResult<Result>>;
  /** Sends a job for each list of arguments: one round trip for each thousand. */
  bulk(argsList: readonly Args[], options?: Omit<CallOptions, 'id'>): Promise<AsyncResult<Result>[]>;
}

/** The forms of `app.task()`: with the schema of the only argument, of all arguments, or with none. */
export interface DefineTask {
  <Schema extends StandardSchemaV1, Result>(
    name: string,
    options: TaskOptions<[StandardSchemaV1.InferInput<Schema>]> & { input: Schema; args?: never },
    handler: (input: StandardSchemaV1.InferOutput<Schema>) => Result,
  ): Task<[StandardSchemaV1.InferInput<Schema>], Awaited<Result>>;
  <Schema extends StandardSchemaV1<unknown[], unknown[]>, Result>(
    name: string,
    options: TaskOptions<StandardSchemaV1.InferInput<Schema>> & { args: Schema; input?: never },
    handler: (...args: StandardSchemaV1.InferOutput<Schema>) => Result,
  ): Task<StandardSchemaV1.InferInput<Schema>, Awaited<Result>>;
  <Args extends readonly unknown[], Result>(
    name: string,
    options: TaskOptions<Args> & { input?: never; args?: never },
    handler: (...args: Args) => Result,
  ): Task<Args, Awaited<Result>>;
  <Args extends readonly unknown[], Result>(
    name: string,
    handler: (...args: Args) => Result,
  ): Task<Args, Awaited<Result>>;
}

/** What a task needs of its app: to send jobs by name, and workflows. */
export interface TaskSender extends SignatureSender {
  send<Result>(task: string, args: readonly unknown[], options?: CallOptions): Promise<AsyncResult<Result>>;
  sendBulk<Result>(
    task: string,
    argsList: readonly (readonly unknown[])[],
    options?: Omit<CallOptions, 'id'>,
  ): Promise<AsyncResult<Result>[]>;
}

export function createTask<Args extends readonly unknown[], Result>(
  app: TaskSender,
  definition: TaskDefinition<Args, Result>,
): Task<Args, Result> {
  const { name } = definition;
  const runHere = async (...args: Args): Promise<Result> => {
    const parsed = await parseArguments(definition as unknown as TaskDefinition, args, 'calling');
    return (await definition.handler(...(parsed as never[]))) as Result;
  };
  return Object.assign(runHere, {
    taskName: name,
    definition,
    delay: (...args: Args) => app.send<Result>(name, args),
    apply: (args: Args, options?: CallOptions) => app.send<Result>(name, args, options),
    bulk: (argsList: readonly Args[], options?: Omit<CallOptions, 'id'>) =>
      app.sendBulk<Result>(name, argsList, options),
    ...createTaskSignatures<Args, Result>(app, name),
  });
}
