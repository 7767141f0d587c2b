/**
 * Where the graphs of workflows are kept: in the state beyond jobs, each once, in records of some hundred nodes.
 *
 * 1. A graph is written before the first of its jobs is added, and never changed. One that is written already stays: a job that
 *    replaces itself again, because its worker died before that was acknowledged, finds what it had replaced itself by.
 * 2. A job that leads to another one carries its place; its worker reads the record that the place is in, and keeps it for the
 *    jobs that come next.
 * 3. A workflow that has succeeded is forgotten with its results; any other one after KEPT_MS, so that a dead letter can be
 *    retried for that long and lead on to what follows it.
 *
 * Keys: `workflow/ID/head/GRAPH` holds what a graph is, `workflow/ID/nodes/GRAPH/000000` its first nodes.
 */
import type { StateStore } from '../broker/state-port.ts';
import { createError } from '../core/errors.ts';
import type { GroupNode, OuterPlace, WorkflowBase, WorkflowGraph, WorkflowNode } from '../core/workflow/graph.ts';
import { deriveStepId } from '../core/workflow/step-id.ts';

const NODES_A_RECORD = 128;
const RECORDS_AT_ONCE = 32;
const DAY_MS = 86_400_000;
/** How long a workflow that has not succeeded can be led on. */
export const KEPT_MS = 30 * DAY_MS;
/** How a node with callbacks for its value is written. */
const CALLBACKS = '"links":[';
/** Graphs that one process remembers, in records of nodes. */
const REMEMBERED = 500;

/** What a graph is, beside its nodes. */
export interface GraphHead {
  /** The id of the workflow. */
  readonly workflow: string;
  /** Its own id: that of the workflow, or one derived from the job that replaced itself by it or added it. */
  readonly graph: string;
  readonly entry: number;
  readonly exit: number;
  readonly size: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /**
   * The queue of the job that stands for the graph: the workflow's own, which has its id, or the one that replaced itself. Null for a
   * workflow of one step, which needs none, and for one more member of a group.
   */
  readonly queue: string | null;
  /** That job, where its id is not the graph's. */
  readonly job?: string;
  readonly base: WorkflowBase;
  /** Of a graph that is part of another one. */
  readonly outer?: OuterPlace;
}

/** A graph as its readers have it. */
export interface StoredGraph {
  readonly head: GraphHead;
  /** @throws WORKFLOW_GONE when the record is not there any more */
  node(place: number): Promise<WorkflowNode>;
}

export class WorkflowStore {
  readonly #state: StateStore;
  readonly #remembered = new Map<string, Promise<unknown>>();

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** Writes a graph, if it is not written yet. The head is written last: a graph that has one is whole. */
  async save(head: GraphHead, { nodes }: WorkflowGraph): Promise<void> {
    let writing: Promise<unknown>[] = [];
    for (let from = 0; from < nodes.length; from += NODES_A_RECORD) {
      const key = nodesKey(head, from / NODES_A_RECORD);
      const text = JSON.stringify(nodes.slice(from, from + NODES_A_RECORD));
      writing.push(this.#state.write(key, text, { expected: null, ttlMs: KEPT_MS }));
      if (writing.length < RECORDS_AT_ONCE) continue;
      await Promise.all(writing);
      writing = [];
    }
    await Promise.all(writing);
    await this.#state.write(headKey(head), JSON.stringify(head), { expected: null, ttlMs: KEPT_MS });
  }

  /** @returns undefined when the workflow is forgotten, or there never was such a graph */
  async open(workflow: string, graph: string = workflow): Promise<StoredGraph | undefined> {
    const head = (await this.#read(headKey({ workflow, graph }))) as GraphHead | undefined;
    if (head === undefined) return undefined;
    return { head, node: (place) => this.#readNode(head, place) };
  }

  /** Every graph of the workflow, its own first, then those that took places in it, in the order of their ids. */
  async listGraphs(workflow: string): Promise<StoredGraph[]> {
    const entries = await this.#state.list(`workflow/${encodeURIComponent(workflow)}/head/`);
    const heads = entries.map(({ value }) => JSON.parse(value) as GraphHead);
    const own = heads.filter(({ graph }) => graph === workflow);
    const others = heads.filter(({ graph }) => graph !== workflow);
    return [...own, ...others].map((head) => ({ head, node: (place) => this.#readNode(head, place) }));
  }

  /** The graphs that running jobs added to a group, in the order of the list that the group gives. */
  async listAdded(workflow: string, graph: string, group: number): Promise<string[]> {
    const entries = await this.#state.list(addedKey(workflow, graph, group, ''));
    return entries.map(({ value }) => value);
  }

  /**
   * Notes that a graph is one more member of a group.
   *
   * @param order sorts it among the others: the place of the job that added it, and how many that one had added
   */
  async noteAdded(
    place: { workflow: string; graph: string; group: number; order: string },
    added: string,
  ): Promise<void> {
    const { workflow, graph, group, order } = place;
    await this.#state.write(addedKey(workflow, graph, group, order), added, { expected: null, ttlMs: KEPT_MS });
  }

  /** Notes that a member of a group is dead, and the others are not to go on. */
  async noteCancelled(group: GroupPlace, dead: string): Promise<void> {
    await this.#state.write(cancelledKey(group), dead, { ttlMs: KEPT_MS });
  }

  async isCancelled(group: GroupPlace): Promise<boolean> {
    return (await this.#state.read(cancelledKey(group))) !== undefined;
  }

  /** The groups of a workflow go on. */
  async forgetCancelled(workflow: string): Promise<void> {
    await this.#state.removeAll(await this.#state.list(cancelledPrefix(workflow)));
  }

  /**
   * Keeps what is written of a workflow for this long from now, and no longer: it has succeeded. One with callbacks stays as it is,
   * for nobody waits for them, and what follows them may take longer.
   */
  async keepFor(workflow: string, ttlMs: number): Promise<void> {
    const entries = await this.#state.list(`workflow/${encodeURIComponent(workflow)}/`);
    if (entries.some(({ value }) => value.includes(CALLBACKS))) return;
    for (const { key, value } of entries) await this.#state.write(key, value, { ttlMs });
  }

  /** Removes what is written of a workflow: nothing follows any more from what of it still runs. */
  async forget(workflow: string): Promise<void> {
    await this.#state.removeAll(await this.#state.list(`workflow/${encodeURIComponent(workflow)}/`));
  }

  async #readNode(head: GraphHead, place: number): Promise<WorkflowNode> {
    const nodes = await this.#read(nodesKey(head, Math.floor(place / NODES_A_RECORD)));
    const node = (nodes as readonly WorkflowNode[] | undefined)?.[place % NODES_A_RECORD];
    if (node === undefined) throw createError('WORKFLOW_GONE', { workflow: head.workflow });
    return node;
  }

  /** What is written never changes, so one that was read is read once; the one that was asked for longest ago goes first. */
  #read(key: string): Promise<unknown> {
    const known = this.#remembered.get(key);
    this.#remembered.delete(key);
    const reading =
      known ?? this.#state.read(key).then((entry) => (entry === undefined ? undefined : JSON.parse(entry.value)));
    this.#remembered.set(key, reading);
    if (known === undefined) {
      // One that is missing may be written later, and one that failed may be read then.
      void reading.then(
        (value) => value ?? this.#remembered.delete(key),
        () => this.#remembered.delete(key),
      );
    }
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return reading;
  }
}

/** The id of the job of a node. That of a workflow's only step is the workflow's. */
export function jobIdOf({ workflow, graph, queue, entry }: GraphHead, place: number): string {
  return queue === null && graph === workflow && place === entry ? workflow : deriveStepId(graph, place);
}

/** The group that is the node at this place. */
export async function getGroup(graph: StoredGraph, place: number): Promise<GroupNode> {
  const node = await graph.node(place);
  if (node.kind === 'group') return node;
  throw createError('WORKFLOW_GONE', { workflow: graph.head.workflow });
}

/** A group, as the graph and the place that it has there. */
interface GroupPlace {
  readonly graph: Pick<StoredGraph, 'head'>;
  readonly place: number;
}

interface GraphKey {
  readonly workflow: string;
  readonly graph: string;
}

function headKey({ workflow, graph }: GraphKey): string {
  return `workflow/${encodeURIComponent(workflow)}/head/${encodeURIComponent(graph)}`;
}

function nodesKey({ workflow, graph }: GraphKey, record: number): string {
  const number = String(record).padStart(6, '0');
  return `workflow/${encodeURIComponent(workflow)}/nodes/${encodeURIComponent(graph)}/${number}`;
}

function addedKey(workflow: string, graph: string, group: number, order: string): string {
  return `workflow/${encodeURIComponent(workflow)}/added/${encodeURIComponent(graph)}/${group}/${order}`;
}

function cancelledPrefix(workflow: string): string {
  return `workflow/${encodeURIComponent(workflow)}/cancelled/`;
}

function cancelledKey({ graph: { head }, place }: GroupPlace): string {
  return `${cancelledPrefix(head.workflow)}${encodeURIComponent(head.graph)}/${place}`;
}
