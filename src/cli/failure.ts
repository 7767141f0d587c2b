import { createError, messageOf, type TqError } from '../engine/core/errors.ts';
import { escapeControl } from '../engine/core/escape.ts';

export interface Failure {
  /** For stderr, with a newline at its end. */
  readonly text: string;
  readonly exitCode: number;
}

/**
 * How anything that was thrown ends the command: what happened with its code, what to do next, and the exit code.
 *
 * @param debug adds the stacks of an unexpected error and of its causes
 */
export function describeFailure(thrown: unknown, debug: boolean): Failure {
  const error = isTqError(thrown)
    ? thrown
    : createError('INTERNAL', { doing: 'running the command', reason: messageOf(thrown) }, thrown);
  const stacks = debug ? listStacks(error) : [];
  const [first, ...rest] = error.message.split('\n');
  const lines = [`tq: ${first} [${error.code}]`, ...rest, `    ${error.next}`, ...stacks];
  return { text: `${escapeControl(lines.join('\n'), true)}\n`, exitCode: error.exitCode };
}

/** By its shape: an app may have loaded another copy of the package, and its errors are as good as ours. */
function isTqError(thrown: unknown): thrown is TqError {
  if (!(thrown instanceof Error)) return false;
  const { code, next, exitCode } = thrown as Partial<TqError>;
  return typeof code === 'string' && typeof next === 'string' && typeof exitCode === 'number';
}

function listStacks(error: Error): string[] {
  const stacks: string[] = [];
  for (let current: unknown = error; current instanceof Error && stacks.length < 10; current = current.cause) {
    stacks.push(current.stack ?? String(current));
  }
  return stacks;
}
