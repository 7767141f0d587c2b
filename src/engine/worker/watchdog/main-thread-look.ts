/**
 * A look into the main thread from another one, by the debugger that every Node has in it.
 *
 * 1. A session is connected to the main thread and asks for a pause. V8 grants it at the next turn of a loop, the next call
 *    of a function or the next step of a regular expression; code that is not JavaScript grants it when it returns.
 * 2. Paused, the call stack is there, and `expression` is evaluated in its topmost frame, so in the asynchronous context
 *    that is current there.
 * 3. The main thread goes on at once. It stood for some milliseconds, which it was blocked for anyway.
 *
 * A front end of the debugger that is attached as well would see the pause; the caller does not look then.
 */
import type { Debugger, Runtime } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import type { StackFrame } from './application-frames.ts';

export interface MainThreadLook {
  /** From the innermost one. */
  readonly frames: readonly StackFrame[];
  /** What the expression gave; undefined when it gave no text. */
  readonly value: string | undefined;
}

/** How long the expression may take. */
const EVALUATION_LIMIT_MS = 100;

/**
 * @param expression gives a text, and changes nothing
 * @returns resolves when the main thread could be paused, which may be much later, or never
 */
export async function lookAtMainThread(expression: string): Promise<MainThreadLook> {
  const session = new Session();
  session.connectToMainThread();
  try {
    const urls = new Map<string, string>();
    session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
    const paused = new Promise<Debugger.CallFrame[]>((resolve) => {
      session.once('Debugger.paused', ({ params }) => resolve(params.callFrames));
    });
    // Both at once: code that is not JavaScript answers neither before it returns, and the pause must come right then.
    const [callFrames] = await Promise.all([paused, session.post('Debugger.enable'), session.post('Debugger.pause')]);
    const value = await evaluate(session, callFrames[0], expression);
    await session.post('Debugger.resume');
    return { frames: callFrames.map((frame) => toStackFrame(frame, urls)), value };
  } finally {
    // Ends a pause too, if something above has failed in one.
    session.disconnect();
  }
}

async function evaluate(
  session: Session,
  frame: Debugger.CallFrame | undefined,
  expression: string,
): Promise<string | undefined> {
  if (frame === undefined) return undefined;
  const answer = await session
    .post('Debugger.evaluateOnCallFrame', {
      callFrameId: frame.callFrameId,
      expression,
      returnByValue: true,
      silent: true,
      ...{ timeout: EVALUATION_LIMIT_MS },
    })
    .catch(() => undefined);
  const result: Runtime.RemoteObject | undefined = answer?.result;
  return typeof result?.value === 'string' ? result.value : undefined;
}

/** Lines and columns of the protocol begin at 0, those that people read at 1. */
function toStackFrame(
  { functionName, location, url }: Debugger.CallFrame,
  urls: ReadonlyMap<string, string>,
): StackFrame {
  return {
    name: functionName,
    url: url || (urls.get(location.scriptId) ?? ''),
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
  };
}
