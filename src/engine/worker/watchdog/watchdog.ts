/**
 * Notices an event loop that is blocked, and says in the log which task blocks it, also when the block never ends.
 *
 * 1. The main thread counts a beat several times within the threshold (beat-board.ts), by a timer that does not keep the
 *    process alive. That, and some 100 ns for each job that starts, is all that it costs this thread.
 * 2. A thread of its own (watch-thread.ts), of some 15 MB, sees when the beats stand still (block-watch.ts).
 * 3. It then pauses the main thread for some milliseconds, reads the stack and the current task context
 *    (main-thread-look.ts), and writes one warning to the place where the worker's log goes, or to stderr when that place is
 *    known to the main thread alone.
 * 4. When the block ends, the main thread hears of it and logs for how long it lasted.
 *
 * Where the main thread cannot be paused (code that is not JavaScript, a debugger), the warning names the tasks that ran at
 * the last beat. The watchdog never fails a worker: without it, blocks go unsaid.
 */
import { url as debuggerUrl } from 'node:inspector';
import { Worker as Thread } from 'node:worker_threads';
import type { Logger } from 'pino';
import { findLogPlace } from '../../runtime/log-relay.ts';
import { type BeatTask, createBeatBoard } from './beat-board.ts';
import { describeBlock, FREE_MESSAGE } from './block-report.ts';
import { publishCurrentTask } from './current-task.ts';
import type { BlockEnded, WatchSettings } from './watch-protocol.ts';

export interface WatchdogOptions {
  readonly logger: Logger;
  /** A block that lasts longer than this is told, in milliseconds. */
  readonly thresholdMs: number;
  readonly running: ReadonlySet<BeatTask>;
}

export interface Watchdog {
  /** Called for each task just before it starts. */
  noteStart(task: BeatTask): void;
  stop(): Promise<void>;
}

/** So many beats within the threshold. */
const BEATS = 5;
const LEAST_EVERY_MS = 20;
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './watch-thread.ts' : './watch-thread.js', import.meta.url);

export function createWatchdog({ logger, thresholdMs, running }: WatchdogOptions): Watchdog {
  publishCurrentTask();
  const board = createBeatBoard();
  const everyMs = Math.max(LEAST_EVERY_MS, Math.round(thresholdMs / BEATS));
  const beat = (): void => board.beat({ debuggable: debuggerUrl() !== undefined, running });
  beat();
  const timer = setInterval(beat, everyMs);
  timer.unref();
  const thread = startThread(
    { memory: board.memory, log: findLogPlace(logger), thresholdMs, everyMs },
    { logger, onEnd: () => clearInterval(timer) },
  );
  return {
    noteStart: (task) => board.noteStart(task),
    async stop() {
      clearInterval(timer);
      await thread?.terminate();
    },
  };
}

function startThread(
  settings: WatchSettings,
  { logger, onEnd }: { readonly logger: Logger; readonly onEnd: () => void },
): Thread | undefined {
  const giveUp = (error: unknown): void => {
    onEnd();
    logger.warn({ err: error }, 'a blocked event loop will not be noticed: the thread that watches it has ended');
  };
  try {
    const thread = new Thread(ENTRY, { workerData: settings, execArgv: [], name: 'tq-watchdog' });
    thread.on('error', giveUp);
    thread.on('message', ({ blockedMs, facts }: BlockEnded) =>
      logger.warn(describeBlock(facts, blockedMs), FREE_MESSAGE),
    );
    thread.unref();
    return thread;
  } catch (error) {
    giveUp(error);
    return undefined;
  }
}
