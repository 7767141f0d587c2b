import { randomUUID } from 'node:crypto';
import { type IRelayBackend, Relay } from 'bullmq';
import type { ControlAnswer, ControlAnswers, ControlNode, ControlQuestion } from '../control-port.ts';
import type { Store } from '../store.ts';
import { unavailable } from '../trouble.ts';
import {
  ALL_WORKERS,
  type AnswerMessage,
  createRequest,
  findAnswerFault,
  MAX_MESSAGE_BYTES,
  replyTopic,
  workerTopic,
} from './control-message.ts';
import { listLiveWorkers } from './control-nodes.ts';

/** How often a waiting asker looks whether a worker that it waits for has left. */
const LOOK_AGAIN_MS = 250;

/**
 * A node that asks. It is opened by the first question or listing, and stays for those that follow.
 *
 * 1. It lists the live workers; if there are any to ask, it registers and subscribes to its answers.
 * 2. The question goes out: in one message to all, or in one to each destination. A worker that joins later does not hear it
 *    and is not waited for.
 * 3. Answers are taken until every one of them is there. Looking again now and then finds who has left meanwhile.
 */
export class ControlAsker {
  readonly #store: Store;
  readonly #nodeId = `asker-${randomUUID().replaceAll('-', '')}`;
  readonly #backend: IRelayBackend;
  readonly #tickets = new Map<string, Ticket>();
  #relay: Relay<unknown> | undefined;
  #ready: Promise<Relay<unknown>> | undefined;
  #trouble: { readonly error: unknown; readonly at: number } | undefined;

  constructor(store: Store, namespace: string) {
    this.#store = store;
    this.#backend = store.relayBackend({ connection: {}, namespace, nodeId: this.#nodeId, prefix: store.prefix });
  }

  async listNodes(): Promise<ControlNode[]> {
    await this.#backend.waitUntilReady();
    return listLiveWorkers(this.#backend);
  }

  /** @throws BROKER_UNAVAILABLE when the time is over before the question is out, and what the store throws */
  async ask(question: ControlQuestion): Promise<ControlAnswers> {
    const { clock } = this.#store;
    const overAt = clock.monotonic() + question.timeoutMs;
    const ticket = new Ticket();
    this.#tickets.set(ticket.id, ticket);
    try {
      const nodes = await this.#inTime(this.#send(question, ticket), question);
      if (ticket.awaited.size > 0) await this.#wait(ticket, overAt - clock.monotonic());
      const absent = (question.destinations ?? []).filter((name) => !nodes.some((node) => node.name === name));
      return {
        answers: new Map([...ticket.answers].sort(([a], [b]) => (a < b ? -1 : 1))),
        silent: [...new Set([...ticket.awaited.values(), ...absent])].sort(),
      };
    } finally {
      this.#tickets.delete(ticket.id);
    }
  }

  async close(): Promise<void> {
    await (this.#relay ?? this.#backend).close();
  }

  #open(): Promise<Relay<unknown>> {
    this.#ready ??= this.#register();
    return this.#ready;
  }

  async #register(): Promise<Relay<unknown>> {
    const relay = new Relay<unknown>({
      connection: {},
      prefix: this.#store.prefix,
      namespace: this.#backend.namespace,
      nodeId: this.#nodeId,
      maxMessageSize: MAX_MESSAGE_BYTES,
      backend: () => this.#backend,
    });
    this.#relay = relay;
    relay.on('error', (error) => {
      this.#trouble = { error, at: this.#store.clock.monotonic() };
    });
    await relay.waitUntilReady();
    await relay.subscribe(replyTopic(this.#nodeId), ({ topic, data }) => {
      if (findAnswerFault(data) !== undefined) return;
      const { node, answer } = data as AnswerMessage;
      this.#tickets.get(topic.slice(topic.lastIndexOf('.') + 1))?.take(node, answer);
    });
    return relay;
  }

  /** @returns the live workers, addressed or not */
  async #send({ command, args, destinations }: ControlQuestion, ticket: Ticket): Promise<ControlNode[]> {
    // Where nobody is live nothing is registered: who only looks at such a store leaves it as it is.
    const nodes = await this.listNodes();
    const addressed = nodes.filter(({ name }) => destinations?.includes(name) ?? true);
    for (const { id, name } of addressed) ticket.awaited.set(id, name);
    if (addressed.length === 0) return nodes;
    const relay = await this.#open();
    const request = createRequest(command, args, replyTopic(this.#nodeId, ticket.id));
    const topics = destinations === undefined ? [ALL_WORKERS] : addressed.map(({ id }) => workerTopic(id));
    await Promise.all(topics.map((topic) => relay.publish(topic, request)));
    return nodes;
  }

  /** A store that does not answer at all, a frozen server, must not hold its asker. */
  async #inTime<Result>(sending: Promise<Result>, { command, timeoutMs }: ControlQuestion): Promise<Result> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const silence = new Error(`the broker does not answer within ${timeoutMs} ms`);
      reject(unavailable(this.#store.url, `asking the workers for "${command}"`, this.#trouble?.error ?? silence));
    }, timeoutMs);
    try {
      return await Promise.race([sending, tooLate]);
    } finally {
      clearTimeout(timer);
      sending.catch(() => undefined);
    }
  }

  async #wait(ticket: Ticket, leftMs: number): Promise<void> {
    const askedAt = this.#store.clock.monotonic();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, leftMs));
    const look = setInterval(() => {
      this.listNodes().then(
        (nodes) => ticket.forgetOthers(nodes),
        // Whether the broker is away is told by the node's own reading.
        () => undefined,
      );
    }, LOOK_AGAIN_MS);
    try {
      await Promise.race([ticket.complete, over]);
    } finally {
      clearTimeout(timer);
      clearInterval(look);
    }
    // Silence is a fact about workers only while the broker was there to carry their words.
    if (ticket.awaited.size > 0 && this.#trouble !== undefined && this.#trouble.at >= askedAt) {
      throw unavailable(this.#store.url, 'waiting for the answers of the workers', this.#trouble.error);
    }
  }
}

/** One question while it waits for its answers. */
class Ticket {
  readonly id = randomUUID();
  /** The ids of the nodes whose answer is awaited, and the names of their workers. */
  readonly awaited = new Map<string, string>();
  /** By the names of the workers. */
  readonly answers = new Map<string, ControlAnswer>();
  readonly #complete = Promise.withResolvers<void>();

  /** Resolves when nobody is awaited any more. */
  get complete(): Promise<void> {
    return this.#complete.promise;
  }

  take(nodeId: string, answer: ControlAnswer): void {
    const name = this.awaited.get(nodeId);
    if (name === undefined) return;
    this.answers.set(name, answer);
    this.#forget(nodeId);
  }

  /** A worker that has left will not answer, and is not silent either. */
  forgetOthers(nodes: readonly ControlNode[]): void {
    const live = new Set(nodes.map(({ id }) => id));
    for (const id of [...this.awaited.keys()]) if (!live.has(id)) this.#forget(id);
  }

  #forget(nodeId: string): void {
    this.awaited.delete(nodeId);
    if (this.awaited.size === 0) this.#complete.resolve();
  }
}
