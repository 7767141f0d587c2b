/**
 * Runs a command again and again while its sources change.
 *
 * 1. The command runs as a child process with the output of this one.
 * 2. A change stops it with SIGTERM, which for a worker is warm: running jobs may end. However long that takes, it is then
 *    started with the sources as they are by that time; a change that comes later starts it once more.
 * 3. A child that ends by itself, as one whose sources do not parse, is started again by the next change.
 * 4. A signal that asks this process to stop is passed on, the second one too, and its end is the end of the child.
 *
 * The child leads a process group of its own: a Ctrl-C on the terminal would otherwise reach it twice, and a worker takes the
 * second one for an order to stop at once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

export interface SupervisorOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Begins to watch; the answer ends it. */
  readonly watch: (onChange: (path: string) => void) => () => void;
  readonly note: (text: string) => void;
}

/** Editors write a file in several steps, and a branch is changed file by file. */
const QUIET_MS = 100;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;

/** @returns the exit code of the last child, 128 and the number of the signal for one that a signal ended */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const changes = createChanges();
  const stopped = Promise.withResolvers<void>();
  let isStopping = false;
  let child: ChildProcess | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    isStopping = true;
    stopped.resolve();
    // SIGHUP says that the terminal has gone; to a worker it would mean to open its log file anew.
    child?.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  const unwatch = options.watch(changes.note);
  let code = 0;
  try {
    while (!isStopping) {
      const seen = changes.count;
      child = spawn(options.file, options.args, { stdio: 'inherit', env: options.env, detached: true });
      const ended = untilEnded(child);
      await Promise.race([ended, changes.after(seen)]);
      if (!isStopping && isRunning(child)) {
        options.note(`${changes.last} changed: restarting`);
        child.kill('SIGTERM');
      }
      code = await ended;
      if (isStopping) break;
      if (changes.count === seen) options.note(`the worker has ended with exit code ${code}; waiting for a change`);
      await Promise.race([stopped.promise, changes.after(seen)]);
    }
    return code;
  } finally {
    unwatch();
    for (const signal of STOP_SIGNALS) process.off(signal, stop);
  }
}

function untilEnded(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Counts changes, so that none is lost between two waits. */
function createChanges() {
  const waiting: (() => void)[] = [];
  let count = 0;
  let last = '';
  return {
    note(path: string): void {
      count += 1;
      last = path;
      for (const resolve of waiting.splice(0)) resolve();
    },
    get count() {
      return count;
    },
    get last() {
      return last;
    },
    /** Resolves when there were more than `seen` changes, and for a moment no other one. */
    async after(seen: number): Promise<void> {
      if (count === seen) await new Promise<void>((resolve) => waiting.push(resolve));
      for (let known = -1; known !== count; ) {
        known = count;
        await wait(QUIET_MS);
      }
    },
  };
}
