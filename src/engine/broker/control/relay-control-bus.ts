import { Relay } from 'bullmq';
import { createError, messageOf, TqError } from '../../core/errors.ts';
import { attempt } from '../attempt.ts';
import type {
  ControlAnswers,
  ControlBus,
  ControlMember,
  ControlMembership,
  ControlNode,
  ControlQuestion,
} from '../control-port.ts';
import type { Store } from '../store.ts';
import { isTrouble, unavailable } from '../trouble.ts';
import { ControlAsker } from './control-asker.ts';
import { subscribeMember } from './control-member.ts';
import { MAX_MESSAGE_BYTES, sizeOf } from './control-message.ts';

/** Applications that use BullMQ's relay on the same store have namespaces of their own. */
const CONTROL_NAMESPACE = 'tq';

const LEASE_MS = 30_000;

/** Leaves room for what a message holds beside the question. */
const MAX_QUESTION_BYTES = MAX_MESSAGE_BYTES - 1024;

/** How long leaving may take: a node that cannot say goodbye is taken off the list when its lease ends. */
const LEAVE_MS = 1000;

/** The control bus over BullMQ's relay, for every store. */
export class RelayControlBus implements ControlBus {
  readonly #store: Store;
  readonly #members = new Set<Relay<unknown>>();
  #asker: ControlAsker | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async join(member: ControlMember): Promise<ControlMembership> {
    const relay = await attempt(this.#store, `joining the control bus as worker "${member.name}"`, () =>
      this.#openMember(member),
    );
    return {
      id: member.id,
      leave: async () => {
        this.#members.delete(relay);
        await closeWithin(relay, LEAVE_MS);
      },
    };
  }

  listNodes(): Promise<ControlNode[]> {
    return attempt(this.#store, 'listing the live workers', () => this.#asking((asker) => asker.listNodes()));
  }

  async ask(question: ControlQuestion): Promise<ControlAnswers> {
    const { command } = question;
    const bytes = sizeOf(question);
    if (bytes > MAX_QUESTION_BYTES) {
      const what = `the arguments of the control command "${command}"`;
      const expected = `at most ${MAX_QUESTION_BYTES} bytes of JSON`;
      throw createError('INVALID_OPTION', { what, expected, given: `${bytes} bytes` });
    }
    try {
      return await this.#asking((asker) => asker.ask(question));
    } catch (error) {
      // Not done again, as other operations are: a question may have been heard already.
      throw this.#toTqError(`asking the workers for "${command}"`, error);
    }
  }

  async close(): Promise<void> {
    const asker = this.#asker;
    this.#asker = undefined;
    const open = [...this.#members, ...(asker === undefined ? [] : [asker])];
    this.#members.clear();
    await Promise.all(open.map((each) => closeWithin(each, LEAVE_MS)));
  }

  async #openMember(member: ControlMember): Promise<Relay<unknown>> {
    const relay = new Relay<unknown>({
      connection: {},
      prefix: this.#store.prefix,
      namespace: CONTROL_NAMESPACE,
      nodeId: member.id,
      name: member.name,
      leaseDuration: member.leaseMs ?? LEASE_MS,
      maxMessageSize: MAX_MESSAGE_BYTES,
      backend: this.#store.relayBackend,
    });
    relay.on('error', (error: Error) => member.onTrouble?.(error));
    try {
      await relay.waitUntilReady();
      await subscribeMember(relay, member);
    } catch (error) {
      void closeWithin(relay, LEAVE_MS);
      throw error;
    }
    this.#members.add(relay);
    return relay;
  }

  /** An asker whose start has failed would fail for ever. */
  async #asking<Result>(operation: (asker: ControlAsker) => Promise<Result>): Promise<Result> {
    this.#asker ??= new ControlAsker(this.#store, CONTROL_NAMESPACE);
    try {
      return await operation(this.#asker);
    } catch (error) {
      this.#dropAsker();
      throw error;
    }
  }

  #dropAsker(): void {
    if (this.#asker !== undefined) void closeWithin(this.#asker, LEAVE_MS);
    this.#asker = undefined;
  }

  #toTqError(doing: string, error: unknown): Error {
    const { url } = this.#store;
    if (isTrouble(error)) return unavailable(url, doing, this.#store.faultBehind(error));
    if (error instanceof TqError) return error;
    return createError('INTERNAL', { doing: `${doing} on ${url}`, reason: messageOf(error) }, error);
  }
}

async function closeWithin(closing: { close(): Promise<void> }, limitMs: number): Promise<void> {
  const { promise: given, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([closing.close().catch(() => undefined), given]);
  clearTimeout(timer);
}
