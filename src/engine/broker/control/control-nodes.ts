import type { IRelayBackend, RelayNodeState } from 'bullmq';
import { type ControlNode, WORKER_PREFIX } from '../control-port.ts';

/** Until a node has made them all, it cannot hear every question. */
const SUBSCRIPTIONS_OF_WORKER = 2;

/** The live workers, by name. */
export async function listLiveWorkers(backend: IRelayBackend): Promise<ControlNode[]> {
  const states = await backend.getNodes(0, -1);
  const byName = new Map<string, ControlNode>();
  for (const node of states.filter(isLiveWorker).map(toControlNode)) {
    const other = byName.get(node.name);
    // One that was killed is listed until its lease ends, perhaps beside its successor.
    if (other === undefined || other.since <= node.since) byName.set(node.name, node);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A node whose lease has ended has no heartbeat; whose clock says so is the store's own. */
function isLiveWorker({ id, lastHeartbeat, subscriptions }: RelayNodeState): boolean {
  return id.startsWith(WORKER_PREFIX) && lastHeartbeat !== undefined && subscriptions >= SUBSCRIPTIONS_OF_WORKER;
}

function toControlNode({ id, info, registeredAt }: RelayNodeState): ControlNode {
  return { id, name: info.name ?? id, host: info.host ?? '', pid: info.pid ?? 0, since: registeredAt };
}
