import type { Broker, TakenJob } from '../../broker/port.ts';
import { type Fault, type Found, findOfGroup, findValue } from '../../canvas/assembling.ts';
import { getGraphOf, replacementOf } from '../../canvas/leading-on.ts';
import { getGroup, type WorkflowStore } from '../../canvas/workflow-store.ts';
import { createError } from '../../core/errors.ts';
import { JOIN_TASK, WORKFLOW_TASK, type WorkflowPlace } from '../../core/workflow/graph.ts';

/** What a job that waited for its children goes on with. */
export type Joined =
  /** Some of them have not ended, and none has failed it. */
  | { readonly kind: 'pending' }
  /** It is done: its value is theirs. */
  | { readonly kind: 'value'; readonly value: unknown }
  /** It is a body, and runs with these. */
  | { readonly kind: 'arguments'; readonly args: readonly unknown[] }
  | { readonly kind: 'fault'; readonly error: Error };

interface JoinedFrom {
  readonly broker: Broker;
  readonly store: WorkflowStore;
}

/** Reads what the children of a job came to. @throws WORKFLOW_GONE, BROKER_UNAVAILABLE */
export async function joinChildren(
  job: TakenJob,
  place: WorkflowPlace,
  { broker, store }: JoinedFrom,
): Promise<Joined> {
  const children = await broker.queue(job.queue).readChildren(job.id);
  const source = { store, children, describe: (fault: Fault) => describeFault(broker, fault) };
  const failed = (fault: Fault): Joined => ({ kind: 'fault', error: toError(job, fault) });
  if (place.node === null || place.replaced === true) {
    const graph = await getGraphOf(store, { id: place.id, node: null, graph: replacementOf(job.id, place) });
    const found = await findValue(source, graph, graph.head.entry);
    // The whole waits until nothing of it runs, so that it is over when it says so.
    if (found.kind === 'fault')
      return children.pending > 0 && place.replaced !== true ? { kind: 'pending' } : failed(found.fault);
    return found;
  }
  const graph = await getGraphOf(store, place);
  const node = await graph.node(place.node);
  if (node.kind !== 'task' || node.joins === undefined) throw createError('WORKFLOW_GONE', { workflow: place.id });
  const group = { place: node.joins, node: await getGroup(graph, node.joins) };
  const found: Found = await findOfGroup(source, graph, group);
  if (found.kind === 'fault') return failed(found.fault);
  if (found.kind === 'pending' || job.task === JOIN_TASK) return found;
  return { kind: 'arguments', args: node.immutable === true ? node.args : [found.value, ...node.args] };
}

/** What a member says that failed for one of its own. */
const FOR_ITS_MEMBER = /^.+? cannot go on, because its member "([^"]+)" \(job (\S+)\) has no result: (.+)$/s;

/** Names the step where it began, however many wait for each other. */
function toError(job: TakenJob, { id, task, reason }: Fault): Error {
  const who = job.task === WORKFLOW_TASK ? 'the workflow' : `"${job.task}"`;
  const [, member = task, own = id, cause = reason] = FOR_ITS_MEMBER.exec(reason) ?? [];
  return createError('MEMBER_FAILED', { who, member, id: own, reason: cause });
}

/** What a body is told of a member that failed, under the policy `collect`. */
async function describeFault(broker: Broker, { id, task, queue, reason, isDead }: Fault) {
  const error = isDead ? (await broker.queue(queue).readJob(id))?.error : undefined;
  return { id, task, name: error?.name ?? 'Error', message: error?.message ?? reason, code: error?.code ?? null };
}
