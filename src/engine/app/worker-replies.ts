import type { ControlAnswer, ControlAnswers } from '../broker/control-port.ts';

/** What live workers answered to a question of the application. */
export interface Replies<Reply> {
  /** By the name of the worker: its reply, or what went wrong there. */
  readonly workers: Readonly<Record<string, Reply | ReplyError>>;
  /** Workers that did not answer in time, and destinations that are not live. */
  readonly silent: readonly string[];
}

export interface ReplyError {
  readonly error: { readonly code: string; readonly message: string };
}

/** @typeParam Reply what a worker of this version answers; one of another version may differ */
export function toReplies<Reply>({ answers, silent }: ControlAnswers): Replies<Reply> {
  // fromEntries defines own properties, so a worker called `__proto__` stays an entry.
  return { workers: Object.fromEntries([...answers].map(toEntry<Reply>)), silent: [...silent] };
}

function toEntry<Reply>([name, answer]: readonly [string, ControlAnswer]): [string, Reply | ReplyError] {
  return [name, answer.ok ? ((answer.value ?? null) as Reply) : { error: answer.error }];
}
