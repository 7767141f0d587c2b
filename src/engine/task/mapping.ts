import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { nearestNames } from '../core/nearest.ts';
import { isMapping, STARMAP_TASK } from '../core/workflow/hidden-tasks.ts';
import { hasSchema, parseArguments } from './arguments.ts';
import { currentContext } from './context.ts';
import { defineTask, type TaskDefinition } from './definition.ts';

const made = new WeakMap<ReadonlyMap<string, TaskDefinition>, Map<string, TaskDefinition>>();

interface KnownTasks {
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** Those of tq's own that nobody calls by name. */
  readonly ownTasks?: ReadonlyMap<string, TaskDefinition> | undefined;
}

/** The task of this name: a registered one, or one of tq's own, such as those that run a registered one over items. */
export function findTask({ tasks, ownTasks }: KnownTasks, name: string): TaskDefinition | undefined {
  return tasks.get(name) ?? ownTasks?.get(name) ?? (isMapping(name) ? getMapping(tasks, name) : undefined);
}

function getMapping(tasks: ReadonlyMap<string, TaskDefinition>, name: string): TaskDefinition {
  const known = made.get(tasks) ?? new Map<string, TaskDefinition>();
  made.set(tasks, known);
  const mapping = known.get(name) ?? (defineMapping(tasks, name) as unknown as TaskDefinition);
  known.set(name, mapping);
  return mapping;
}

/** The items are run one after the other; the first that fails fails the job, and a retry begins with the first again. */
function defineMapping(tasks: ReadonlyMap<string, TaskDefinition>, name: string) {
  return defineTask(name, async (task: unknown, items: unknown) => {
    const definition = tasks.get(String(task));
    if (definition === undefined) {
      const next = 'start a worker that registers it, or correct the name';
      throw createError('UNKNOWN_TASK', { task: String(task), near: nearestNames(String(task), tasks.keys()), next });
    }
    if (!Array.isArray(items)) {
      const what = `the items of ${name} over task "${definition.name}"`;
      throw createError('INVALID_OPTION', { what, expected: 'an array', given: formatGiven(items) });
    }
    const results: unknown[] = [];
    for (const item of items) {
      currentContext()?.signal.throwIfAborted();
      const given = name === STARMAP_TASK && Array.isArray(item) ? item : [item];
      const args = hasSchema(definition) ? await parseArguments(definition, given, 'running') : given;
      results.push((await definition.handler(...(args as never[]))) ?? null);
    }
    return results;
  });
}
