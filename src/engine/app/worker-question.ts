import type { Broker } from '../broker/port.ts';
import { type Addressed, askLiveWorkers } from '../control/ask-live-workers.ts';
import type { Clock } from '../core/clock.ts';
import { type Replies, toReplies } from './worker-replies.ts';

/** What asking takes of an application. */
export interface Asking {
  readonly openBroker: () => Promise<Broker>;
  readonly clock: Clock;
  /** Those that it declares. */
  readonly queues: readonly string[];
}

/**
 * Puts a question to the live workers.
 *
 * @typeParam Reply what a worker of this version answers
 * @throws BROKER_UNAVAILABLE, INVALID_OPTION for arguments that are too large
 */
export type Ask = <Reply>(command: string, args: unknown, addressed: Addressed) => Promise<Replies<Reply>>;

export function createAsk({ openBroker }: Asking): Ask {
  return async <Reply>(command: string, args: unknown, addressed: Addressed) => {
    const broker = await openBroker();
    return toReplies<Reply>(await askLiveWorkers(broker.control, { command, args }, addressed));
  };
}

/** Commands that only put a question, by the names of their methods. */
export type Questions = Readonly<Record<string, (ask: Ask) => unknown>>;

/** Their methods. */
export type Bound<Commands extends Questions> = { readonly [Name in keyof Commands]: ReturnType<Commands[Name]> };

export function bindQuestions<Commands extends Questions>(commands: Commands, ask: Ask): Bound<Commands> {
  const bound = Object.entries(commands).map(([name, command]) => [name, command(ask)]);
  return Object.fromEntries(bound) as Bound<Commands>;
}
