import { trimStack } from '../core/stack.ts';

/** An error as it stands in a log line. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  /** The stack, followed by those of its causes, each after `caused by:`. */
  readonly stack: string | null;
  readonly code: string | null;
}

/**
 * What a log line shows of anything that was thrown. Only these four fields: an error of a library may carry a whole
 * request, with its passwords, in further properties. Never throws, whatever a getter of the error does.
 */
export function describeError(thrown: unknown): LoggedError {
  if (!isErrorLike(thrown))
    return { type: typeof thrown, message: safely(() => String(thrown)), stack: null, code: null };
  const code = readProperty(thrown, 'code');
  return {
    type: safely(() => thrown.name || thrown.constructor.name),
    message: safely(() => String(thrown.message)),
    stack: stackWithCauses(thrown),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : null,
  };
}

/** Ten are enough to find the root, and a cycle of causes ends. */
const MAX_CAUSES = 10;

function stackWithCauses(error: Error): string | null {
  const stacks: string[] = [];
  let current: unknown = error;
  while (isErrorLike(current) && stacks.length <= MAX_CAUSES) {
    const stack = readProperty(current, 'stack');
    if (typeof stack === 'string') stacks.push(trimStack(stack));
    current = readProperty(current, 'cause');
  }
  return stacks.length === 0 ? null : stacks.join('\ncaused by: ');
}

/** Errors of another realm (a vm, a worker thread) are no instances of our Error. */
function isErrorLike(value: unknown): value is Error {
  return (
    value instanceof Error ||
    (typeof value === 'object' && value !== null && typeof readProperty(value, 'message') === 'string')
  );
}

function readProperty(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function safely(read: () => string): string {
  try {
    return read();
  } catch {
    return 'unreadable';
  }
}
