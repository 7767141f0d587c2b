import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { recordEnded, recordStarted } from './run-folder.ts';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Part of `args` that no other process has, such as the data folder. */
  readonly mark: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerProcess {
  readonly pid: number;
  readonly running: boolean;
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string;
  /** Sends the signal and resolves when the process is gone. Nothing happens when it is gone already. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

const keptOutput = 16_384;

/** Children that still run. One listener for all: the last resort when nobody stopped them. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server in the foreground, as a child of this process.
 *
 * @throws Error when the program cannot be executed at all; a server that ends by itself later is seen by `running`
 */
export async function startServerProcess(options: ServerCommand): Promise<ServerProcess> {
  const { command, args, mark, env, uid, gid } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: env ?? process.env,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-keptOutput);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  await once(child, 'spawn');
  const pid = child.pid as number;
  recordStarted(pid, mark);
  running.add(child);
  const closed = once(child, 'close').then(() => {
    running.delete(child);
    recordEnded(pid);
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    get running() {
      return isRunning();
    },
    get output() {
      return output;
    },
    async stop(signal) {
      if (isRunning()) child.kill(signal);
      await closed;
    },
  };
}
