import { createError } from '../core/errors.ts';
import { encodeJson } from '../core/json.ts';
import type { StepOptions, TaskNode } from '../core/workflow/graph.ts';
import { isMapping } from '../core/workflow/hidden-tasks.ts';
import { assertFitting, assertKept, parseEta } from '../task/call-checks.ts';
import type { TaskDefinition } from '../task/definition.ts';
import type { StepContent } from './signature-content.ts';
import { ownerOf } from './signature-options.ts';

/** What a compiler must know of the app. */
export interface CompileContext {
  readonly resolve: (task: string) => TaskFacts;
  /** @throws UNDECLARED_QUEUE */
  readonly assertQueue: (queue: string) => void;
  /** Largest arguments of a step, in bytes of JSON. */
  readonly payloadLimit: number;
  /** The longest that any worker of the app keeps results, in milliseconds. */
  readonly longestResultMs: () => number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface TaskFacts {
  /** Where its calls go when they name no queue. */
  readonly queue: string;
  /** The task as it is registered here, if it is. */
  readonly definition: TaskDefinition | undefined;
}

/** The task whose options hold for a step: of one that maps, the task that is mapped. */
export function taskOf({ task, args }: { readonly task: string; readonly args: readonly unknown[] }): string {
  return isMapping(task) && typeof args[0] === 'string' ? args[0] : task;
}

/**
 * Makes the nodes of steps. What a task says is asked for once a task.
 *
 * @throws NOT_JSON, PAYLOAD_TOO_LARGE, INVALID_OPTION, UNDECLARED_QUEUE
 */
export function createStepNodes(context: CompileContext): (content: StepContent) => TaskNode {
  const known = new Map<string, TaskFacts>();
  const factsOf = (task: string): TaskFacts => {
    const facts = known.get(task) ?? context.resolve(task);
    known.set(task, facts);
    return facts;
  };
  return (content) => {
    const { task, args, immutable } = content;
    const facts = factsOf(taskOf(content));
    const bytes = Buffer.byteLength(encodeJson(args, `the arguments of task "${task}"`, 'args'));
    if (bytes > context.payloadLimit) {
      throw createError('PAYLOAD_TOO_LARGE', { task, bytes, limit: context.payloadLimit });
    }
    const queue = content.options?.queue ?? facts.queue;
    context.assertQueue(queue);
    const options = createOptions(content, facts, context);
    return {
      kind: 'task',
      task,
      queue,
      args,
      ...(immutable === true && { immutable }),
      ...(options !== undefined && { options }),
    };
  };
}

/** What the step says, over what its task does. */
function createOptions(
  { task, options = {} }: StepContent,
  { definition }: TaskFacts,
  { now, longestResultMs }: CompileContext,
): StepOptions | undefined {
  const owner = ownerOf(task);
  assertFitting(options, definition, owner);
  if (options.dueAt !== undefined) parseEta(options.dueAt, owner, now);
  if (options.resultExpiresMs !== undefined) {
    assertKept(options.resultExpiresMs, longestResultMs(), { owner, given: options.resultExpiresMs });
  }
  const { queue: _, ...own } = options;
  const { priority, expiresMs, keepResultSeconds } = definition ?? {};
  const hasExpiry = own.expiresMs !== undefined || own.expiresAt !== undefined;
  const all: StepOptions = {
    ...(priority !== undefined && { priority }),
    ...(expiresMs !== undefined && !hasExpiry && { expiresMs }),
    ...(typeof keepResultSeconds === 'number' && { resultExpiresMs: keepResultSeconds * 1000 }),
    ...own,
  };
  return Object.keys(all).length === 0 ? undefined : all;
}
