/**
 * Waits for parts of a workflow to end, on the events of the queues that their jobs are in.
 *
 * A part is followed from job to job: the next one is there before the one before it has ended. What a body waits for is not looked
 * at, since the body tells what became of it.
 */
import type { BrokerQueue } from '../broker/port.ts';
import type { StoredJob } from '../core/job.ts';
import { isFinished } from '../core/state.ts';
import type { GroupNode, TaskNode } from '../core/workflow/graph.ts';
import type { FinishedPart } from '../results/async-result.ts';
import type { WholeGraph } from './whole-workflow.ts';
import { jobIdOf } from './workflow-store.ts';

/** A part that has ended, wherever it stands. */
export type PartEnd = FinishedPart extends infer One ? (One extends unknown ? Omit<One, 'index'> : never) : never;

export interface Waiting {
  readonly broker: { queue(name: string): Pick<BrokerQueue, 'waitUntilFinished' | 'readJob'> };
  /** The graphs that were added to a group, read when its own members have ended. */
  readonly listAdded: (graph: WholeGraph, group: number) => Promise<readonly WholeGraph[]>;
  /** Whoever waits has gone; the wait ends without a result. */
  readonly signal: AbortSignal;
}

/** A wait that nobody wants any more is noticed within this time. */
const LOOK_UP_MS = 30_000;

/**
 * The end of what begins at this place and goes on to the end of its chain.
 *
 * @param isOne only this node, and for a group its body
 * @returns undefined when the signal came first
 */
export async function waitForPart(
  waiting: Waiting,
  graph: WholeGraph,
  entry: number,
  isOne = false,
): Promise<PartEnd | undefined> {
  for (let place = entry; ; ) {
    const node = graph.nodes[place];
    if (node === undefined) return undefined;
    // The body of a group, once it is entered, stands for it.
    if (node.kind === 'group' && node.next !== undefined) {
      place = node.next;
      continue;
    }
    const end = await waitForNode(waiting, graph, { place, node });
    if (end?.state !== 'SUCCESS' || node.next === undefined || isOne) return end;
    place = node.next;
  }
}

async function waitForNode(
  waiting: Waiting,
  graph: WholeGraph,
  { place, node }: { readonly place: number; readonly node: TaskNode | GroupNode },
): Promise<PartEnd | undefined> {
  if (node.kind === 'task') return await waitForJob(waiting, node, jobIdOf(graph.head, place));
  const own = await Promise.all(node.members.map((member) => waitForPart(waiting, graph, member)));
  const added = await waiting.listAdded(graph, place);
  const others = await Promise.all(added.map((part) => waitForPart(waiting, part, part.head.entry)));
  return settleGroup(node, [...own, ...others]);
}

async function waitForJob(
  { broker, signal }: Waiting,
  { queue: name, task, options }: TaskNode,
  id: string,
): Promise<PartEnd | undefined> {
  const queue = broker.queue(name);
  while (!signal.aborted) {
    const ended = await queue.waitUntilFinished(id, LOOK_UP_MS);
    const job = await queue.readJob(id);
    if (job === undefined) {
      // One that keeps no result leaves nothing behind when it succeeds.
      if (options?.ignoreResult === true) return { state: 'SUCCESS', value: null };
      return { state: 'UNKNOWN', id, task, error: null, reason: 'its job is stored no more' };
    }
    if (ended && isFinished(job.state)) return toEnd(job);
  }
  return undefined;
}

function toEnd({ id, task, state, result, error, reason }: StoredJob): PartEnd {
  if (state === 'SUCCESS') return { state, value: result ?? null };
  if (state === 'FAILURE' || state === 'REVOKED' || state === 'IGNORED') return { state, id, task, error, reason };
  return { state: 'UNKNOWN', id, task, error, reason };
}

/** The value of a group that no job stands for, by its policy. */
function settleGroup({ onError }: GroupNode, parts: readonly (PartEnd | undefined)[]): PartEnd | undefined {
  const ends: PartEnd[] = [];
  for (const part of parts) {
    if (part === undefined) return undefined;
    ends.push(part);
  }
  const fault = ends.find(({ state }) => state !== 'SUCCESS');
  if (onError === 'fail' && fault !== undefined) return fault;
  if (onError !== 'collect') {
    return { state: 'SUCCESS', value: ends.flatMap((end) => (end.state === 'SUCCESS' ? [end.value] : [])) };
  }
  return { state: 'SUCCESS', value: ends.map(toSettled) };
}

function toSettled(end: PartEnd): unknown {
  if (end.state === 'SUCCESS') return { status: 'fulfilled', value: end.value };
  const { id, task, error, reason, state } = end;
  const { name = 'Error', message = reason ?? `it ended as ${state}`, code = null } = error ?? {};
  return { status: 'rejected', reason: { id, task, name, message, code } };
}
