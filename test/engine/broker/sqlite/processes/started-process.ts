import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { recordEnded, recordStarted } from '../../../../support/run-folder.ts';
import { type Channel, createChannel } from '../../channel.ts';

/** A process that a test has started and must end, or see end. */
export interface StartedProcess {
  /** What it reports, a line each. */
  readonly lines: Channel<string>;
  /** What it wrote to stderr. */
  readonly complaints: string;
  /** Resolves when it is gone and everything it wrote was read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** The next line that begins with the word. @throws Error when the process ends before it says so */
  said(word: string): Promise<string>;
  /** The first message that it sends with `process.send`; undefined when it ends without one. */
  readonly message: Promise<unknown>;
  /** Sends a message for its `process.on('message')`. */
  tell(message: string): void;
  /** Sends SIGKILL and resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a TypeScript file in a Node process of its own.
 *
 * @param args the path of a database among them, by which a process that was left behind is known
 */
export function startProcess(file: URL, args: readonly string[]): StartedProcess {
  const path = fileURLToPath(file);
  const child = fork(path, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { pid } = child;
  if (pid !== undefined) recordStarted(pid, path);
  const lines = createChannel<string>();
  let complaints = '';
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) lines.push(line);
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    complaints += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    if (pid !== undefined) recordEnded(pid);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const message = Promise.race([once(child, 'message').then(([sent]) => sent as unknown), ended.then(() => undefined)]);
  return {
    lines,
    ended,
    message,
    get complaints() {
      return complaints;
    },
    async said(word) {
      const gone = ended.then(({ code, signal }): never => {
        throw new Error(
          `the process ended (${code ?? signal}) before it said "${word}"\n${[...lines.all.slice(-5), complaints].join('\n')}`,
        );
      });
      for (;;) {
        const line = await Promise.race([lines.next(), gone]);
        if (line.split(' ')[0] === word) return line;
      }
    },
    tell(message) {
      child.send(message);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
