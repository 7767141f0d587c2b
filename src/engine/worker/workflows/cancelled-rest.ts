/**
 * What a group with `rest: 'cancel'` does when a member of it is dead: what of it waits is revoked, and what runs leads to nothing more.
 */

import type { Broker, TakenJob } from '../../broker/port.ts';
import { type GroupAround, listGroupsAround, type StepPlace } from '../../canvas/leading-on.ts';
import { jobIdOf, type WorkflowStore } from '../../canvas/workflow-store.ts';
import type { Clock } from '../../core/clock.ts';

interface Cancelling {
  readonly worker: string;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly store: WorkflowStore;
}

/** Jobs of one question to the broker. */
const BATCH = 500;

/** Whether a member of one of these groups is dead, and the others are not to go on. */
export async function isCancelled(store: WorkflowStore, groups: readonly GroupAround[]): Promise<boolean> {
  for (const group of groups) {
    if (group.node.rest === 'cancel' && (await store.isCancelled(group))) return true;
  }
  return false;
}

/** Does what the groups around a dead member say. @throws BROKER_UNAVAILABLE */
export async function cancelRest(place: StepPlace, dead: TakenJob, cancelling: Cancelling): Promise<void> {
  const { broker, store, clock, worker } = cancelling;
  for (const group of await listGroupsAround(store, place)) {
    if (group.node.onError !== 'fail') return;
    if (group.node.rest !== 'cancel') continue;
    await store.noteCancelled(group, dead.id);
    const byQueue = new Map<string, string[]>();
    for (const member of group.node.members) await collectJobs(group, member, byQueue);
    for (const [queue, ids] of byQueue) {
      for (let from = 0; from < ids.length; from += BATCH) {
        const briefs = await broker.queue(queue).listBriefs(ids.slice(from, from + BATCH));
        const waiting = briefs.filter(({ id, phase }) => id !== dead.id && phase !== 'active' && phase !== 'finished');
        const revocation = { at: clock.now(), by: worker };
        await broker.queue(queue).revoke(
          waiting.map(({ id }) => id),
          revocation,
        );
      }
    }
  }
}

/** The jobs that what begins at this place may have, up to the end of its chain. */
async function collectJobs(group: GroupAround, entry: number, byQueue: Map<string, string[]>): Promise<void> {
  const { graph } = group;
  for (let place: number | undefined = entry; place !== undefined; ) {
    const node = await graph.node(place);
    if (node.kind === 'group') {
      for (const member of node.members) await collectJobs(group, member, byQueue);
    } else {
      const ids = byQueue.get(node.queue) ?? [];
      ids.push(jobIdOf(graph.head, place));
      byQueue.set(node.queue, ids);
    }
    place = node.next;
  }
}
