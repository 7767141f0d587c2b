import type { WorkflowGraph } from '../core/workflow/graph.ts';
import { isMapping, MAP_TASK } from '../core/workflow/hidden-tasks.ts';
import { hasSchema, parseArguments } from '../task/arguments.ts';
import type { TaskDefinition } from '../task/definition.ts';
import { taskOf } from './step-node.ts';

/** What is known of the arguments before anything runs. */
export interface KnownArguments {
  /** The task as it is registered here, if it is. */
  readonly definitionOf: (task: string) => TaskDefinition | undefined;
  /** What the first steps are entered with. */
  readonly input?: { readonly value: unknown } | undefined;
}

/**
 * Checks the arguments that are known now against the schemas of their tasks: those of the first steps and of immutable ones. What a
 * step is given by another one is checked in the worker.
 *
 * @throws InvalidArguments
 */
export async function assertArguments(graph: WorkflowGraph, { definitionOf, input }: KnownArguments): Promise<void> {
  const first = listFirstSteps(graph);
  for (const [place, node] of graph.nodes.entries()) {
    if (node.kind === 'group') continue;
    const isFirst = first.has(place);
    if (!isFirst && node.immutable !== true) continue;
    const definition = definitionOf(taskOf(node));
    if (definition === undefined || !hasSchema(definition)) continue;
    const takesInput = input !== undefined && node.immutable !== true;
    const args = takesInput ? [input.value, ...node.args] : node.args;
    for (const given of isMapping(node.task) ? listMapped(node.task, args) : [args]) {
      await parseArguments(definition, given, 'calling');
    }
  }
}

/** The arguments of each call that a step makes which runs a task over items. */
export function listMapped(task: string, [, items]: readonly unknown[]): (readonly unknown[])[] {
  if (!Array.isArray(items)) return [];
  return items.map((item) => (task === MAP_TASK || !Array.isArray(item) ? [item] : item));
}

/** The tasks that the workflow begins with. */
function listFirstSteps({ nodes, entry }: WorkflowGraph): Set<number> {
  const steps = new Set<number>();
  const ahead = [entry];
  for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
    const node = nodes[place];
    if (node?.kind === 'task') steps.add(place);
    else for (const member of node?.members ?? []) ahead.push(member);
  }
  return steps;
}
