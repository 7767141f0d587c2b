import { RelayErrorCode, type RelayPublishOptions, type RelayPublishResult } from 'bullmq';
import { deliver } from './inbox.ts';
import { listLiveSubscribers } from './live-node.ts';
import { nextMid, type OpenNamespace } from './open-namespace.ts';
import { listMatchingPatterns } from './pattern-index.ts';
import { retainMessage } from './retained-message.ts';
import { assertTopic, relayRefusal } from './topic.ts';

interface Target {
  readonly nodeId: string;
  readonly endpoints: Set<string>;
}

/**
 * Refuses what cannot be published.
 *
 * @param maxSize of the data, in bytes
 * @throws RelayError InvalidTopic, DataTooLarge
 */
export function assertPublishable(topic: string, data: string, maxSize: number): void {
  assertTopic(topic);
  if (Buffer.byteLength(data) > maxSize) throw relayRefusal(RelayErrorCode.DataTooLarge, topic);
}

/**
 * Publishes a message: one entry in the inbox of each live node that has a matching subscription, which lists the node's
 * endpoints, each once however many of its patterns match.
 *
 * @param topic a valid one
 */
export function publishMessage(
  namespace: OpenNamespace,
  topic: string,
  data: string,
  { ts, retainMs }: RelayPublishOptions,
): RelayPublishResult {
  const message = { topic, mid: nextMid(namespace), ts, data };
  if (retainMs > 0) retainMessage(namespace, message, retainMs);
  let endpointCount = 0;
  const targets = findTargets(namespace, topic);
  for (const [nodeNo, { nodeId, endpoints }] of targets) {
    deliver(namespace.connection, nodeNo, { ...message, endpoints: [...endpoints] });
    namespace.wake(nodeId);
    endpointCount += endpoints.size;
  }
  return { mid: String(message.mid), nodes: targets.size, endpoints: endpointCount };
}

function findTargets(namespace: OpenNamespace, topic: string): Map<number, Target> {
  const targets = new Map<number, Target>();
  for (const patternNo of listMatchingPatterns(namespace, topic)) {
    for (const [nodeNo, nodeId, endpointId] of listLiveSubscribers(namespace, patternNo)) {
      const target = targets.get(nodeNo) ?? { nodeId, endpoints: new Set() };
      targets.set(nodeNo, target);
      target.endpoints.add(endpointId);
    }
  }
  return targets;
}
