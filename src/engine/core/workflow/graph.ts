/**
 * A workflow (chains, groups and chords, in each other to any depth) as what is stored of it once: a flat list of nodes that name
 * each other by their places. A job of the workflow carries its place alone, so a chain of n steps costs O(n) bytes.
 *
 * A chain is no node: its steps name the step that comes `next`. A group is a node; a chord is a group that has a `next`, the body,
 * which is always a task: where a group follows a group, a task of tq's own (JOIN_TASK) stands in between.
 *
 *     chain(a, group(b, c), d)        nodes: 0 a →next 1 · 1 group [2, 3] →next 4 · 2 b within 1 · 3 c within 1 · 4 d
 *
 * Every node says which group it is `within`, the steps of a member's chain all the same one. A node without `next` ends its member,
 * or the whole workflow when it is within none.
 */
import type { StoredRetry } from '../retry-policy.ts';

export interface WorkflowGraph {
  /** At least one. */
  readonly nodes: readonly WorkflowNode[];
  /** Where it begins. */
  readonly entry: number;
  /** The node whose value is that of the whole: a task or a group. */
  readonly exit: number;
}

export type WorkflowNode = TaskNode | GroupNode;

interface PlacedNode {
  /** Is entered with this one's value when it has succeeded. */
  readonly next?: number;
  /** The group that it is a member of, or a later step of a member. */
  readonly within?: number;
  /** It leads to nothing that the workflow waits for: a callback (`link`, `linkError`) or what follows one. */
  readonly aside?: true;
}

export interface TaskNode extends PlacedNode {
  readonly kind: 'task';
  readonly task: string;
  readonly queue: string;
  /** The value that it is entered with comes before these, unless it is immutable. */
  readonly args: readonly unknown[];
  readonly immutable?: true;
  readonly options?: StepOptions;
  /** Entered with its value when it has succeeded, beside `next`. */
  readonly links?: readonly number[];
  /** Entered with what failed (`FailedStep`) when it is a dead letter. Several nodes may name the same: it is run once. */
  readonly linkErrors?: readonly number[];
  /** Of a body: the group whose values it is given. */
  readonly joins?: number;
}

export interface GroupNode extends PlacedNode {
  readonly kind: 'group';
  /** The first node of each member, in order. */
  readonly members: readonly number[];
  readonly onError: ErrorPolicy;
  /** Under `fail`, what has not started when a member is dead: it runs all the same, or is revoked. */
  readonly rest: 'leave' | 'cancel';
}

/**
 * What a dead member means:
 *
 * - `fail`: the body fails with the first one;
 * - `ignore`: the body is given the values of the others;
 * - `collect`: the body is given what became of each, as `Promise.allSettled` tells it.
 */
export type ErrorPolicy = 'fail' | 'ignore' | 'collect';

/** Options of a step, read when the workflow was sent; times run from when the step is entered. */
export interface StepOptions {
  readonly priority?: number;
  readonly countdownMs?: number;
  /** Epoch milliseconds. */
  readonly dueAt?: number;
  readonly expiresMs?: number;
  /** Epoch milliseconds. */
  readonly expiresAt?: number;
  readonly softTimeLimitMs?: number;
  readonly timeLimitMs?: number;
  readonly retry?: StoredRetry | false;
  readonly headers?: Readonly<Record<string, string>>;
  readonly resultExpiresMs?: number;
  readonly ignoreResult?: boolean;
}

/** What a `linkError` is called with. */
export interface FailedStep {
  readonly id: string;
  readonly task: string;
  readonly error: { readonly name: string; readonly message: string; readonly code: string | null };
}

/**
 * The job that stands for a workflow of more than one step: its id is that of the workflow, its result the value of the whole. It
 * waits for its children, which are the steps, and is run by workers themselves.
 */
export const WORKFLOW_TASK = 'tq.workflow';
/** Joins the members of a group for another group: its value is what they gave. Run by workers themselves. */
export const JOIN_TASK = 'tq.join';

/** Where a job stands in its workflow: what its `meta` carries. */
export interface WorkflowPlace {
  /** The workflow: the id of the job that stands for it, or of its only step. */
  readonly id: string;
  /** The place of its node; null for the job that stands for the whole. */
  readonly node: number | null;
  /** The graph that `node` is of, when a running job brought it in; the workflow's own without it. */
  readonly graph?: string;
  /** Nothing follows it and nobody is called back: who runs it need not read the graph. */
  readonly last?: true;
  /** Its value is made of its children's when it starts. */
  readonly joins?: true;
  /** It has replaced itself by a graph, whose jobs are its children and whose value is its own. */
  readonly replaced?: true;
}

/** What all jobs of a workflow have in common, stored with its graph. */
export interface WorkflowBase {
  readonly requestId?: string;
  readonly rootId?: string;
  readonly parentId?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a graph that a running job brought in belongs: a step that replaced itself by it, or a group that it is one more member of. */
export interface OuterPlace {
  /** The graph that `node` is of. */
  readonly graph: string;
  readonly node: number;
  /** `node` is then the group. */
  readonly isMember?: true;
}

/** A workflow of one step needs no job that stands for it. */
export function isSingle({ nodes, entry, exit }: WorkflowGraph): boolean {
  return entry === exit && nodes[entry]?.kind === 'task';
}
