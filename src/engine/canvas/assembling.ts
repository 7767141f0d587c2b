/**
 * What a job that waits for the members of a group, or for a whole workflow, is given: read off the graph and off what its
 * children have come to.
 *
 * The value of a member is that of the last step of its chain; that of a chord its body's; that of a group the list of its
 * members', by its own policy. So a fault goes up until a policy deals with it.
 */
import type { JobChildren } from '../core/job.ts';
import type { GroupNode, TaskNode } from '../core/workflow/graph.ts';
import { jobIdOf, type StoredGraph, type WorkflowStore } from './workflow-store.ts';

/** Why a step has no value. */
export interface Fault {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly reason: string;
  /** It is a dead letter, whose error can be read. */
  readonly isDead: boolean;
}

export type Found =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly fault: Fault }
  /** It, or what leads to it, has not ended. */
  | { readonly kind: 'pending' };

interface Source {
  readonly store: WorkflowStore;
  readonly children: JobChildren;
  /** Tells what is known of a fault: what a body is given under the policy `collect`. */
  readonly describe: (fault: Fault) => Promise<unknown>;
}

const PENDING: Found = { kind: 'pending' };

/** The value of what begins at this place and goes on to the end of its chain. */
export async function findValue(source: Source, graph: StoredGraph, entry: number): Promise<Found> {
  for (let place = entry; ; ) {
    const node = await graph.node(place);
    // The body of a chord tells what became of its members.
    if (node.kind === 'group' && node.next !== undefined) {
      place = node.next;
      continue;
    }
    const found =
      node.kind === 'task'
        ? await findOfTask(source, graph, { place, node })
        : await findOfGroup(source, graph, { place, node });
    if (found.kind !== 'value' || node.next === undefined) return found;
    place = node.next;
  }
}

/** The values of the members of a group, those that were added while it ran last. */
export async function findOfGroup(
  source: Source,
  graph: StoredGraph,
  { place, node }: { readonly place: number; readonly node: GroupNode },
): Promise<Found> {
  const found: Found[] = [];
  for (const member of node.members) found.push(await findValue(source, graph, member));
  const { workflow, graph: id } = graph.head;
  for (const added of await source.store.listAdded(workflow, id, place)) {
    const part = await source.store.open(workflow, added);
    found.push(part === undefined ? PENDING : await findValue(source, part, part.head.entry));
  }
  if (node.onError === 'fail') {
    const fault = found.find(({ kind }) => kind === 'fault');
    if (fault !== undefined) return fault;
  }
  if (found.includes(PENDING)) return PENDING;
  return { kind: 'value', value: await listValues(source, node, found) };
}

async function listValues({ describe }: Source, { onError }: GroupNode, found: readonly Found[]): Promise<unknown[]> {
  if (onError !== 'collect') return found.flatMap((one) => (one.kind === 'value' ? [one.value] : []));
  const settled: unknown[] = [];
  for (const one of found) {
    if (one.kind === 'value') settled.push({ status: 'fulfilled', value: one.value });
    else if (one.kind === 'fault') settled.push({ status: 'rejected', reason: await describe(one.fault) });
  }
  return settled;
}

function findOfTask(
  { children }: Source,
  graph: StoredGraph,
  { place, node }: { readonly place: number; readonly node: TaskNode },
): Found {
  const id = jobIdOf(graph.head, place);
  const fault = (reason: string, isDead = false): Found => ({
    kind: 'fault',
    fault: { id, task: node.task, queue: node.queue, reason, isDead },
  });
  const message = children.dead.get(id);
  if (message !== undefined) return fault(message, true);
  const end = children.ended.get(id);
  switch (end?.state) {
    case 'SUCCESS':
      return { kind: 'value', value: end.value };
    case 'IGNORED':
    case 'REVOKED':
    case 'FAILURE':
      return fault(`it ended as ${end.state}: ${end.reason}`);
    case undefined:
      return children.pending > 0 ? PENDING : fault('its job was removed before it had ended');
  }
}
