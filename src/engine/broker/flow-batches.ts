import type { FlowJob } from './port.ts';

/** More jobs than this are added in several transactions: one of them takes Redis some 35 µs, and the others wait. */
const JOBS_AT_ONCE = 500;
/** Far longer than adding a flow takes. */
export const HELD_MS = 600_000;

/** A job that is added as one that is due far later, and is let go when all of its flow is in. */
export interface HeldJob {
  readonly queue: string;
  readonly id: string;
  /** When it is due, epoch ms; at once without it. */
  readonly dueAt: number | undefined;
}

export interface FlowBatches {
  /** Parents before their children, each to be added whole. */
  readonly batches: readonly (readonly FlowJob[])[];
  readonly held: readonly HeldJob[];
}

/**
 * Splits a flow, so that none of its parents is let go before all of its children are in: of each parent whose children come with
 * several batches, one descendant comes with the first of these and is held until the last batch is in. A process that dies in
 * between leaves it to run later than meant; the flow then goes on with what was added of it.
 *
 * The jobs are put in the order of a walk through the trees. So what is cut at the end of a batch are the ancestors of one job, and
 * few jobs are held.
 */
export function splitFlow(jobs: readonly FlowJob[], size = JOBS_AT_ONCE): FlowBatches {
  if (jobs.length <= size) return { batches: [jobs], held: [] };
  const order = walk(plantTrees(jobs));
  const held = new Map<Tree, HeldJob>();
  const batches: FlowJob[][] = [];
  const placed = new Set<Tree>();
  let batch: FlowJob[] = [];
  const place = (tree: Tree): void => {
    if (placed.has(tree) || tree.flow === undefined) return;
    placed.add(tree);
    batch.push(held.has(tree) ? holdBack(tree.flow) : tree.flow);
  };
  order.forEach((tree, index) => {
    // A tree that does not fit into the rest of this batch is cut: its last leaf, and what leads there, comes first.
    if (tree.children.length > 0 && (index % size) + tree.count > size) {
      const path = pathToLastLeaf(tree);
      const leaf = path.at(-1);
      if (leaf?.flow !== undefined && !placed.has(leaf)) held.set(leaf, toHeldJob(leaf.flow));
      for (const step of path) place(step);
    }
    place(tree);
    if ((index + 1) % size === 0) {
      batches.push(batch);
      batch = [];
    }
  });
  if (batch.length > 0) batches.push(batch);
  return { batches: batches.filter(({ length }) => length > 0), held: [...held.values()] };
}

interface Tree {
  /** Undefined for a parent that is not of the flow. */
  readonly flow: FlowJob | undefined;
  readonly children: Tree[];
  /** How many trees it holds, itself included. */
  count: number;
}

function plantTrees(jobs: readonly FlowJob[]): Tree[] {
  const trees = new Map<string, Tree>();
  const roots: Tree[] = [];
  for (const flow of jobs) {
    const { id, parent } = flow.job;
    const tree: Tree = { flow, children: [], count: 1 };
    trees.set(`${flow.queue}:${id}`, tree);
    if (parent === undefined) {
      roots.push(tree);
      continue;
    }
    const key = `${parent.queue}:${parent.id}`;
    let above = trees.get(key);
    if (above === undefined) {
      above = { flow: undefined, children: [], count: 1 };
      trees.set(key, above);
      roots.push(above);
    }
    above.children.push(tree);
  }
  return roots;
}

/** Every tree before those below it; counts them on the way back. */
function walk(roots: readonly Tree[]): Tree[] {
  const order: Tree[] = [];
  const ahead = roots.toReversed();
  for (let tree = ahead.pop(); tree !== undefined; tree = ahead.pop()) {
    order.push(tree);
    for (const child of tree.children.toReversed()) ahead.push(child);
  }
  for (const tree of order.toReversed()) for (const child of tree.children) tree.count += child.count;
  return order;
}

function pathToLastLeaf(tree: Tree): Tree[] {
  const path = [tree];
  for (let below = tree.children.at(-1); below !== undefined; below = below.children.at(-1)) path.push(below);
  return path;
}

function toHeldJob({ queue, job: { id, createdAt, delayMs } }: FlowJob): HeldJob {
  return { queue, id, dueAt: delayMs === undefined || delayMs <= 0 ? undefined : createdAt + delayMs };
}

/** One that is due later still needs no holding. */
function holdBack(flow: FlowJob): FlowJob {
  return { ...flow, job: { ...flow.job, delayMs: Math.max(HELD_MS, flow.job.delayMs ?? 0) } };
}
