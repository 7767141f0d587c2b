import { isSingle, type WorkflowBase, type WorkflowGraph } from '../core/workflow/graph.ts';
import { findFirstTask } from './compile.ts';
import type { GraphHead } from './workflow-store.ts';

interface NewWorkflow {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly base: WorkflowBase;
  /** For the job that stands for it, when there is no step whose queue it could take. */
  readonly fallbackQueue: () => string;
}

/** The head of a workflow that is about to be sent. The job that stands for it goes where its last step does. */
export function createHead(graph: WorkflowGraph, { id, now, base, fallbackQueue }: NewWorkflow): GraphHead {
  const last = findFirstTask(graph.nodes, graph.exit);
  return {
    workflow: id,
    graph: id,
    entry: graph.entry,
    exit: graph.exit,
    size: graph.nodes.length,
    createdAt: now,
    queue: isSingle(graph) ? null : (last?.queue ?? fallbackQueue()),
    base,
  };
}
