/**
 * The control bus: how a person asks the live workers something, and gets an answer that is complete or says what is missing.
 *
 * 1. A worker joins as a node with a lease. The list of nodes whose lease runs is the list of live workers.
 * 2. A question goes out with a ticket, to all of them or to those that it names.
 * 3. Each one answers on the topic of the ticket.
 * 4. The asker has its result as soon as every live worker that was addressed has answered, else when its time is over; who
 *    did not answer is named.
 *
 * Every store keeps the same promises (test/engine/broker/contract/control.ts):
 *
 * - A worker is listed once it can be asked, and not any more once it has left. One that died is listed until its lease ends.
 * - Of two nodes with one name the younger counts: names are unique, so the older one has died.
 * - A question is delivered at most once. One that was sent may still be obeyed after its asker gave up.
 * - What is on the bus and is no message of this protocol is ignored.
 * - A worker that loses the broker joins again by itself. An asker that loses it fails within its time.
 */
export interface ControlBus {
  /**
   * Makes this process answer as a worker, until it leaves.
   *
   * @throws BROKER_UNAVAILABLE when the patience of the broker is spent
   */
  join(member: ControlMember): Promise<ControlMembership>;
  /** The live workers, by name. */
  listNodes(): Promise<ControlNode[]>;
  /**
   * Asks the live workers, and resolves with what they answered.
   *
   * @throws BROKER_UNAVAILABLE at the latest when the time of the question is over, INVALID_OPTION for arguments that are too
   *   large
   */
  ask(question: ControlQuestion): Promise<ControlAnswers>;
}

/** A live worker. */
export interface ControlNode {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** When it joined, epoch ms of the store's clock. A worker that had to join again did so later than it started. */
  readonly since: number;
}

export interface ControlMember {
  /** Of `createNodeId()`. */
  readonly id: string;
  readonly name: string;
  /** How long it counts as live without a sign of life. Default 30 s; it gives one three times as often. */
  readonly leaseMs?: number;
  /** Answers one request; what it throws is the answer too. */
  readonly handle: (request: ControlRequest) => ControlReply | Promise<ControlReply>;
  /** The connection was lost, or an answer could not be sent. Said for each error; the node mends it by itself. */
  readonly onTrouble?: (error: Error) => void;
  /** A message was ignored because it is none of ours. Said once. */
  readonly onForeign?: (reason: string) => void;
}

export interface ControlMembership {
  readonly id: string;
  /** Takes the worker off the list of live ones. Bounded also while the store is away. */
  leave(): Promise<void>;
}

export interface ControlRequest {
  readonly command: string;
  readonly args: unknown;
}

export interface ControlReply {
  /** What JSON can carry, at most 512 KiB of it; a larger one becomes the error REPLY_TOO_LARGE. */
  readonly value: unknown;
  /** Is called when the answer is out, or could not be sent: for what ends the worker that answers. */
  readonly afterwards?: () => void;
}

export interface ControlQuestion extends ControlRequest {
  /** Names of workers; without it all live ones. One that is not live is named as silent at once. */
  readonly destinations?: readonly string[];
  readonly timeoutMs: number;
}

/** What a worker said: a value, or why it has none. */
export type ControlAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ControlError };

export interface ControlError {
  readonly code: string;
  readonly message: string;
}

export interface ControlAnswers {
  /** By the names of the workers, in their order. */
  readonly answers: ReadonlyMap<string, ControlAnswer>;
  /** Workers that were asked and did not answer in time, and destinations that are not live. */
  readonly silent: readonly string[];
}

/** The id of a node that is about to join. */
export function createNodeId(): string {
  return `${WORKER_PREFIX}${crypto.randomUUID().replaceAll('-', '')}`;
}

/** Nodes that only ask are on the bus too; their ids begin differently. */
export const WORKER_PREFIX = 'worker-';
