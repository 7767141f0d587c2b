import fc from 'fast-check';
import { waitFor } from '../../../../support/wait-for.ts';
import { LONG_MS, type RelayWorkshop } from './relay-workshop.ts';

/**
 * Random lives of a relay, for a comparison of two stores: what an operation gives and what is seen after it, in a form that
 * is the same where the stores agree. Instants are left out, positions stay with their store, and a message's number is its
 * place among all that were published.
 */

const NODES = ['a', 'b', 'ab'] as const;
const ENDPOINTS = ['e', 'f', 'e1'] as const;
const TOPICS = ['a', 'a.b', 'a.b.c', 'b', 'b.b', 'jobs.42.done'] as const;
const PATTERNS = [...TOPICS, '*', '>', 'a.*', '*.b', 'a.>', '*.*', 'a.*.c', 'jobs.>', '*.42.*', 'c..d', '>.a'] as const;

/** More subscriptions than one operation prunes. */
const MANY = 130;

const node = fc.constantFrom(...NODES);
const endpoint = fc.constantFrom(...ENDPOINTS);
const pattern = fc.constantFrom(...PATTERNS);
const topic = fc.constantFrom(...TOPICS);
const cursor = fc.constantFrom('start' as const, 'last' as const, 'before' as const);
const few = fc.integer({ min: 1, max: 4 });

const op = <Name extends string, Rest extends object>(
  name: Name,
  rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
) => fc.record({ op: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<{ op: Name } & Rest>;

export const operations = fc.oneof(
  { weight: 4, arbitrary: op('register', { node, inboxMax: fc.option(few, { nil: undefined }) }) },
  { weight: 1, arbitrary: op('unregister', { node }) },
  { weight: 1, arbitrary: op('heartbeat', { node }) },
  { weight: 2, arbitrary: op('lapse', { node }) },
  { weight: 6, arbitrary: op('subscribe', { node, endpoint, pattern }) },
  { weight: 1, arbitrary: op('subscribeMany', { node }) },
  { weight: 1, arbitrary: op('removeEndpoint', { node, endpoint }) },
  {
    weight: 8,
    arbitrary: op('publish', {
      topic,
      retain: fc.constantFrom('no' as const, 'no' as const, 'long' as const, 'brief' as const),
      size: fc.integer({ min: 0, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: op('deleteRetained', { topic }) },
  { weight: 5, arbitrary: op('read', { node, cursor, count: few }) },
  { weight: 3, arbitrary: op('trim', { node, cursor, maxLength: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 2, arbitrary: op('sweep', { limit: fc.integer({ min: 0, max: 2 }) }) },
);

export type Operation = typeof operations extends fc.Arbitrary<infer Value> ? Value : never;

/** One side of the comparison. */
export interface Life {
  readonly workshop: RelayWorkshop;
  /** Numbers of the published messages, in order. */
  readonly mids: string[];
  /** Positions that each node's reads have given, the newest last. */
  readonly cursors: Map<string, string[]>;
  step: number;
}

export function beginLife(workshop: RelayWorkshop): Life {
  return { workshop, mids: [], cursors: new Map(), step: 0 };
}

/** @returns what the operation gave, or the error that it was refused with */
export async function perform(life: Life, operation: Operation): Promise<unknown> {
  life.step += 1;
  // Registrations and expiries are ordered by the millisecond.
  await life.workshop.store.tick();
  return act(life, operation).catch((error: Error & { code?: unknown }) => ({ code: error.code, text: error.message }));
}

async function act(life: Life, operation: Operation): Promise<unknown> {
  const { backend } = life.workshop;
  switch (operation.op) {
    case 'register':
      return backend.registerNode(operation.node, LONG_MS, { name: `${life.step}` }, operation.inboxMax);
    case 'unregister':
      return backend.unregisterNode(operation.node);
    case 'heartbeat':
      return backend.heartbeat(operation.node, LONG_MS);
    case 'lapse':
      return life.workshop.endLease(operation.node);
    case 'subscribe': {
      const { added, retained } = await backend.subscribe(operation.node, operation.endpoint, operation.pattern);
      return { added, retained: retained && { ...retained, mid: life.mids.indexOf(retained.mid) } };
    }
    case 'subscribeMany': {
      const ids = Array.from({ length: MANY }, (_, index) => `m${String(index).padStart(3, '0')}`);
      return Promise.all(ids.map((id) => backend.subscribe(operation.node, id, 'many.*')));
    }
    case 'removeEndpoint':
      return backend.removeEndpoint(operation.node, operation.endpoint);
    case 'publish':
      return publish(life, operation);
    case 'deleteRetained':
      return backend.deleteRetained(operation.topic);
    case 'read':
      return read(life, operation);
    case 'trim':
      return backend.trimInbox(operation.node, cursorOf(life, operation), operation.maxLength);
    case 'sweep':
      return backend.sweep(operation.limit);
  }
}

async function publish(life: Life, operation: Extract<Operation, { op: 'publish' }>): Promise<unknown> {
  const { backend, store } = life.workshop;
  const data = 'é'.repeat(operation.size);
  const retainMs = { no: 0, brief: 1, long: LONG_MS }[operation.retain];
  const { mid, ...counts } = await backend.publish(operation.topic, data, { ts: life.step, retainMs, maxSize: 20 });
  life.mids.push(mid);
  if (operation.retain !== 'brief') return counts;
  store.advance(1);
  await waitFor('the message to run out', async () =>
    (await backend.getRetained(0, -1)).every((retained) => retained.topic !== operation.topic),
  );
  // Redis keeps the message itself for the rest of the millisecond in which its index says that it is over.
  for (let ticks = 0; ticks < 2; ticks += 1) await store.tick();
  return counts;
}

async function read(life: Life, operation: Extract<Operation, { op: 'read' }>): Promise<unknown> {
  const { workshop, mids, cursors } = life;
  const batch = await workshop.read(operation.node, cursorOf(life, operation), operation.count);
  cursors.set(operation.node, [...(cursors.get(operation.node) ?? []), batch.cursor]);
  return batch.entries.map((entry) => ({
    ...entry,
    mid: mids.indexOf(entry.mid),
    endpoints: entry.endpoints.toSorted(),
  }));
}

function cursorOf(
  life: Life,
  { node: of, cursor: which }: { node: string; cursor: 'start' | 'last' | 'before' },
): string {
  const given = life.cursors.get(of) ?? [];
  const found = which === 'start' ? undefined : given.at(which === 'last' ? -1 : -2);
  return found ?? life.workshop.backend.initialInboxCursor;
}

/** Everything that can be seen of the namespace. */
export async function observe({ workshop: { backend }, mids }: Life): Promise<unknown> {
  const [counts, nodes, subscriptions, ofNode, ofPattern, patterns, retained] = await Promise.all([
    backend.getCounts(),
    backend.getNodes(0, -1),
    backend.getSubscriptions(undefined, 0, -1),
    backend.getSubscriptions({ nodeId: 'a' }, 0, 2),
    backend.getSubscriptions({ pattern: 'a' }, 1, -1),
    backend.getPatterns(0, -1),
    backend.getRetained(0, -1),
  ]);
  return {
    ...{ counts, subscriptions, ofNode, ofPattern, patterns },
    nodes: nodes.map(({ registeredAt, leaseUntil, lastHeartbeat, ...rest }) => {
      return { ...rest, isHeardOf: lastHeartbeat !== undefined };
    }),
    retained: retained.map(({ expiresAt, mid, ...rest }) => ({ ...rest, mid: mids.indexOf(mid) })),
  };
}
