import { createRedisRelayBackend, type IRelayBackend, type RelayBackendOptions } from 'bullmq';
import { Cluster } from 'ioredis';
import { endClient, endIfAway, type RedisClient } from './redis-client.ts';

export interface RedisRelays {
  createBackend(options: RelayBackendOptions<unknown>): IRelayBackend;
  /** Ends the connections that nodes wait on. */
  end(): void;
}

/**
 * BullMQ's relay backends over a producer's client, whose commands fail with a lost server. Each node waits on a duplicate of
 * it; the duplicates are known here, so that one can be ended while the server is away.
 */
export function createRedisRelays(client: RedisClient, prefix: string): RedisRelays {
  const inboxes = new Set<RedisClient>();
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => RedisClient;
  client.duplicate = ((...args: unknown[]) => {
    const copy = duplicate(...args);
    inboxes.add(copy);
    copy.once('end', () => inboxes.delete(copy));
    return copy;
  }) as never;

  return {
    createBackend(options) {
      const backend = createRedisRelayBackend({
        ...options,
        connection: client as never,
        prefix,
        skipVersionCheck: true,
      });
      // Unheard, its errors would end the process; who uses the backend hears them too.
      backend.on('error', () => {});
      const { interruptInbox } = backend;
      backend.interruptInbox = () => {
        // BullMQ waits for the end of the connection, which one that is away would never tell.
        for (const inbox of inboxes) if (isOfNode(inbox, options.nodeId)) endIfAway(inbox);
        interruptInbox.call(backend);
      };
      return backend;
    },
    end() {
      for (const inbox of inboxes) endClient(inbox);
    },
  };
}

/** BullMQ names the connection that a node waits on after the node. */
function isOfNode(inbox: RedisClient, nodeId: string | undefined): boolean {
  const options = inbox instanceof Cluster ? inbox.options.redisOptions : inbox.options;
  return nodeId !== undefined && options?.connectionName?.endsWith(`:${nodeId}`) === true;
}
