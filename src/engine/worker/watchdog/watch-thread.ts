/**
 * The watchdog's own thread (watchdog.ts says what for). It writes to the log itself, as the main thread cannot while it is
 * blocked, and ends with the main thread.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../core/errors.ts';
import { systemClock } from '../../runtime/system-clock.ts';
import { formatApplicationFrames } from './application-frames.ts';
import { type BeatTask, createBeatBoard } from './beat-board.ts';
import { BLOCKED_MESSAGE, type BlockFacts, describeBlock } from './block-report.ts';
import { createBlockWatch } from './block-watch.ts';
import { CURRENT_TASK_EXPRESSION, parseCurrentTask } from './current-task.ts';
import type { BlockEnded, WatchSettings } from './watch-protocol.ts';

/** JavaScript can be paused within milliseconds, on a busy machine within some more; what takes longer is not JavaScript. */
const LOOK_LIMIT_MS = 2000;

const settings = workerData as WatchSettings;
const board = createBeatBoard(settings.memory);
const watch = createBlockWatch(settings.thresholdMs);
/** Of the last block: what a look has found by now. */
let readFacts: (() => Promise<BlockFacts>) | undefined;

setInterval(() => {
  const news = watch.look(board.beats, systemClock.monotonic());
  if (news.kind === 'blocked') void report(news.blockedMs);
  else if (news.kind === 'ended') void tellEnd(news.blockedMs);
}, settings.everyMs);

async function report(blockedMs: number): Promise<void> {
  const { running, debuggable } = board;
  const outside: BlockFacts = { kind: 'unseen', why: 'the block is outside JavaScript', running };
  const look = debuggable
    ? Promise.resolve<BlockFacts>({ kind: 'unseen', why: 'a debugger may be attached', running })
    : lookForFacts(running);
  const read = (): Promise<BlockFacts> => Promise.race([look, after(LOOK_LIMIT_MS, outside)]);
  // Asked for again at the end: a pause that was not granted in the block is granted just before its end is noticed.
  readFacts = read;
  await writeWarning(describeBlock(await read(), blockedMs));
}

async function tellEnd(blockedMs: number): Promise<void> {
  const facts = await readFacts?.();
  if (facts !== undefined) parentPort?.postMessage({ blockedMs, facts } satisfies BlockEnded);
}

async function lookForFacts(running: readonly BeatTask[]): Promise<BlockFacts> {
  try {
    const { lookAtMainThread } = await import('./main-thread-look.ts');
    const { frames, value } = await lookAtMainThread(CURRENT_TASK_EXPRESSION);
    return { kind: 'seen', task: parseCurrentTask(value), frames: formatApplicationFrames(frames) };
  } catch (error) {
    return { kind: 'unseen', why: messageOf(error), running };
  }
}

async function after<Value>(delayMs: number, value: Value): Promise<Value> {
  await wait(delayMs);
  return value;
}

/** The log is opened for this one line: blocks are rare, and a file may have been rotated since the last one. */
async function writeWarning(fields: Record<string, unknown>): Promise<void> {
  const { createLogger } = await import('../../runtime/logger.ts');
  const { target, ...shape } = settings.log;
  const { log, close } = createLogger({ ...shape, destination: target });
  log.warn(fields, BLOCKED_MESSAGE);
  await close();
}
