/**
 * What the main thread leaves for the watchdog's thread, in memory that both see: the only way out of a thread that is
 * blocked is what it wrote before.
 *
 * The main thread alone writes, and only while it runs; the other one reads the texts only once the beats stand still. So
 * neither needs a lock.
 */
export interface BeatBoard {
  readonly memory: SharedArrayBuffer;
  /** Counts one beat, with what is true at it: whether a debugger may be attached, and which tasks run. */
  beat(facts: { readonly debuggable: boolean; readonly running: Iterable<BeatTask> }): void;
  /** A task is about to start. The next beat forgets it: it is then among the running ones, or has ended. About 100 ns. */
  noteStart(task: BeatTask): void;
  readonly beats: number;
  readonly debuggable: boolean;
  /** The last tasks that started since the last beat, the newest first, then those that ran at it, at most `MAX_LISTED`. */
  readonly running: readonly BeatTask[];
}

export interface BeatTask {
  readonly id: string;
  readonly task: string;
}

const MAX_LISTED = 20;
const HEADER_BYTES = 16;
const STARTED_BYTES = 4096;
const LIST_BYTES = 16_384;
const [BEATS, DEBUGGABLE, STARTED_LENGTH, LIST_LENGTH] = [0, 1, 2, 3] as const;

/** @param memory of another board, to see it from another thread; a new one without it */
export function createBeatBoard(memory = new SharedArrayBuffer(HEADER_BYTES + STARTED_BYTES + LIST_BYTES)): BeatBoard {
  const numbers = new Int32Array(memory, 0, HEADER_BYTES / 4);
  const started = Buffer.from(memory, HEADER_BYTES, STARTED_BYTES);
  const list = Buffer.from(memory, HEADER_BYTES + STARTED_BYTES, LIST_BYTES);
  const lengthOf = (index: number): number => Atomics.load(numbers, index);
  return {
    memory,
    beat({ debuggable, running }) {
      const text = formatTasks(running);
      Atomics.store(numbers, LIST_LENGTH, text === '' ? 0 : list.write(text));
      Atomics.store(numbers, STARTED_LENGTH, 0);
      Atomics.store(numbers, DEBUGGABLE, debuggable ? 1 : 0);
      Atomics.add(numbers, BEATS, 1);
    },
    noteStart(task) {
      const text = formatTask(task);
      const used = lengthOf(STARTED_LENGTH);
      // A character takes three bytes at most. Full, the memory begins anew: the newest are those that matter.
      const from = used + 3 * text.length > STARTED_BYTES ? 0 : used;
      Atomics.store(numbers, STARTED_LENGTH, from + started.write(text, from));
    },
    get beats() {
      return lengthOf(BEATS);
    },
    get debuggable() {
      return lengthOf(DEBUGGABLE) === 1;
    },
    get running() {
      const listed = parseTasks(list.toString('utf8', 0, lengthOf(LIST_LENGTH)));
      const newest = parseTasks(started.toString('utf8', 0, lengthOf(STARTED_LENGTH))).reverse();
      return [...newest, ...listed];
    },
  };
}

/** Neither ids nor names hold control characters. A line that is cut at the end of the memory is dropped when it is read. */
function formatTask({ id, task }: BeatTask): string {
  return `${id}\t${task}\n`;
}

function formatTasks(tasks: Iterable<BeatTask>): string {
  let text = '';
  let count = 0;
  for (const task of tasks) {
    if (count === MAX_LISTED) break;
    text += formatTask(task);
    count += 1;
  }
  return text;
}

function parseTasks(text: string): BeatTask[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [id = '', task = ''] = line.split('\t');
      return { id, task };
    });
}
