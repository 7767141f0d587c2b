import { randomUUID } from 'node:crypto';
import type { IRelayBackend, RelayInboxBatch, RelayNodeState, RelayPublishOptions } from 'bullmq';
import { waitFor } from '../../../../support/wait-for.ts';
import type { BackendOptions, RelayStore, StoreName } from './relay-store.ts';

/** Long enough for no lease or retained message to end by itself during a test. */
export const LONG_MS = 3_600_000;

/** What one test works with: a namespace of its own on a store. What it opens is closed when the test ends. */
export interface RelayWorkshop {
  readonly store: RelayStore;
  readonly namespace: string;
  /** Of this namespace; with a node of its own registered, so that the namespace lives on when others leave. */
  readonly backend: IRelayBackend;
  openBackend(options?: Partial<BackendOptions>): IRelayBackend;
  /** Registers nodes that stay. */
  register(...nodeIds: string[]): Promise<void>;
  /** Ends the lease of a registered node, and resolves when it has ended. */
  endLease(nodeId: string, backend?: IRelayBackend): Promise<void>;
  publish(topic: string, data?: string, options?: Partial<RelayPublishOptions>): ReturnType<IRelayBackend['publish']>;
  /** Reads without waiting. */
  read(nodeId: string, cursor?: string, count?: number): Promise<RelayInboxBatch>;
  /** The nodes that the test has registered, without the one of `backend`. */
  listNodes(): Promise<RelayNodeState[]>;
  getNode(nodeId: string): Promise<RelayNodeState>;
  close(): Promise<void>;
}

/** The node that keeps the namespace: Redis forgets the routes of one in which no lease runs. */
const KEEPER = 'keeper';

/** One promise of BullMQ's relay, as a sentence, and how to see that a store keeps it. */
export interface RelayRule {
  readonly title: string;
  readonly holds: (workshop: RelayWorkshop) => Promise<void>;
  /** Stores that are known to do otherwise, with what they do. */
  readonly except?: Partial<Record<StoreName, string>>;
}

export interface RelaySubject {
  readonly subject: string;
  readonly rules: readonly RelayRule[];
}

export function defineRule(
  title: string,
  holds: RelayRule['holds'],
  except: NonNullable<RelayRule['except']> = {},
): RelayRule {
  return { title, holds, except };
}

export async function openRelayWorkshop(store: RelayStore): Promise<RelayWorkshop> {
  const namespace = `n${randomUUID()}`;
  const opened: IRelayBackend[] = [];
  const openBackend = (options: Partial<BackendOptions> = {}): IRelayBackend => {
    const backend = store.createBackend({ namespace, ...options });
    opened.push(backend);
    return backend;
  };
  const backend = openBackend();
  await backend.waitUntilReady();
  await backend.registerNode(KEEPER, LONG_MS);
  const listNodes = async () => (await backend.getNodes(0, -1)).filter(({ id }) => id !== KEEPER);

  return {
    store,
    namespace,
    backend,
    openBackend,
    listNodes,
    async register(...nodeIds) {
      for (const nodeId of nodeIds) await backend.registerNode(nodeId, LONG_MS);
    },
    async endLease(nodeId, of = backend) {
      await of.heartbeat(nodeId, 1);
      store.advance(1);
      await waitFor(`the lease of ${nodeId} to end`, async () =>
        (await of.getNodes(0, -1)).every(({ id, lastHeartbeat }) => id !== nodeId || lastHeartbeat === undefined),
      );
    },
    publish: (topic, data = '{}', options = {}) =>
      backend.publish(topic, data, { ts: 1, retainMs: 0, maxSize: 1_000_000, ...options }),
    read: (nodeId, cursor = backend.initialInboxCursor, count = 100) =>
      backend.readInbox(nodeId, cursor, { blockMs: 0, count }),
    async getNode(nodeId) {
      const node = (await listNodes()).find(({ id }) => id === nodeId);
      if (node === undefined) throw new Error(`there is no node ${nodeId}`);
      return node;
    },
    async close() {
      await Promise.all(opened.map((each) => each.close()));
    },
  };
}

/** The data of a batch, in order. */
export function dataOf({ entries }: RelayInboxBatch): string[] {
  return entries.map(({ data }) => data);
}
