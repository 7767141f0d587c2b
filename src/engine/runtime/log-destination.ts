import type { EventEmitter } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pino } from 'pino';
import { createError, messageOf } from '../core/errors.ts';

/** 1 is stdout, 2 is stderr, a text is the path of a file; a stream stays its owner's and is not ended. */
export type LogTarget = 1 | 2 | string | Writable;

export interface LogDestination {
  write(line: string): void;
  /** When what was written waits for a slow reader: resolves once it is gone. A writer that can wait should. */
  whenFull(): Promise<void> | undefined;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

interface DestinationOptions {
  /** Turns a JSON line into the line that is written. */
  format?: (line: string) => string;
  /** Told once for each kind of trouble: a full disk must not be reported a thousand times a second. */
  onTrouble: (error: Error) => void;
}

/**
 * Lines that wait for a reader that does not read (a paused pager, a stuck log collector). Beyond this they are dropped,
 * because the worker must go on and its memory is not endless; `onTrouble` is told.
 */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Where log lines go. Descriptors and files are written asynchronously, and what comes while a write is under way is
 * collected and written together: a busy log costs few system calls, and a slow reader never blocks the event loop (a
 * blocked loop cannot renew locks). The price: a kill -9 loses the lines of the last 20 ms and of a write under way. `close()` loses
 * none, and a plain process.exit() writes the rest synchronously.
 *
 * @throws INVALID_OPTION when the file cannot be opened, so a wrong path is told at the start and not by silence
 */
export function createLogDestination(target: LogTarget, options: DestinationOptions): LogDestination {
  const { format, onTrouble } = options;
  const told = new Set<string>();
  const tell = (error: NodeJS.ErrnoException): void => {
    const kind = error.code ?? error.message;
    if (!told.has(kind)) onTrouble(error);
    told.add(kind);
  };
  const sink = typeof target === 'object' ? streamSink(target, tell) : descriptorSink(target, tell);
  let closed = false;
  return {
    // A line that comes after close() has nowhere to go; throwing would hit the code that logged it.
    write: (line) => {
      if (!closed) sink.write(format === undefined ? line : format(line));
    },
    whenFull: () => (closed ? undefined : sink.whenFull()),
    reopen: async () => {
      if (!closed) await sink.reopen();
    },
    close: async () => {
      closed = true;
      await sink.close();
    },
  };
}

type Tell = (error: NodeJS.ErrnoException) => void;

function streamSink(stream: Writable, tell: Tell): LogDestination {
  stream.on('error', tell);
  return {
    write: (line) => {
      stream.write(line);
    },
    whenFull: () => (stream.writableNeedDrain ? untilOneOf(stream, ['drain', 'error', 'close']) : undefined),
    reopen: async () => {},
    close: async () => {
      // The callback of an empty write comes after those of all writes before it.
      if (stream.writable) await new Promise<void>((resolve) => stream.write('', () => resolve()));
      stream.off('error', tell);
    },
  };
}

/**
 * A rotated file gets a new descriptor and the old one is ended by itself: lines logged before go to the old file, lines
 * after to the new one, and none waits for the other.
 */
function descriptorSink(target: 1 | 2 | string, tell: Tell): LogDestination {
  const open = () => openDescriptor(typeof target === 'string' ? openFile(target) : target, tell);
  let current = open();
  const ending = new Set<Promise<void>>();
  return {
    write: (line) => current.write(line),
    whenFull: () => current.whenFull(),
    reopen: async () => {
      if (typeof target !== 'string') return;
      const previous = current;
      try {
        current = open();
      } catch (error) {
        // The old file goes on taking the lines.
        return tell(error as Error);
      }
      const end = previous.end().finally(() => ending.delete(end));
      ending.add(end);
      await end;
    },
    close: async () => {
      await Promise.all([...ending, current.end()]);
    },
  };
}

function openFile(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'a');
  } catch (error) {
    throw createError(
      'INVALID_OPTION',
      { what: 'the log file', expected: 'a file that can be written', given: `${path} (${messageOf(error)})` },
      error,
    );
  }
}

interface OpenDescriptor extends Pick<LogDestination, 'write' | 'whenFull'> {
  end(): Promise<void>;
}

/** Leaves no listener behind, whichever event comes first. */
function untilOneOf(emitter: EventEmitter, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) emitter.off(event, done);
      resolve();
    };
    for (const event of events) emitter.on(event, done);
  });
}

/**
 * Lines of a few milliseconds are handed on together. A write costs a system call in another thread and a wake-up of this
 * one, which at one write a line is most of what a line costs.
 */
function openDescriptor(fd: number, tell: Tell): OpenDescriptor {
  const stream = pino.destination({ dest: fd, sync: false, maxLength: MAX_HELD_BYTES });
  let trouble: 'none' | 'failed' | 'deaf' = 'none';
  let held = '';
  let full: Promise<void> | undefined;
  const handOn = (): void => {
    const lines = held;
    held = '';
    if (lines === '' || stream.write(lines) || trouble !== 'none') return;
    full ??= untilOneOf(stream, ['drain', 'error', 'close']).then(() => {
      full = undefined;
    });
  };
  // Before pino's own handler, whose flushSync() tries without end when the disk is full.
  const atExit = (): void => {
    handOn();
    if (trouble === 'failed') stream.destroy();
    else stream.flushSync();
  };
  process.prependListener('exit', atExit);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // pino makes a stream whose reader has gone deaf, end() included: it would never say that it has ended.
    trouble = error.code === 'EPIPE' ? 'deaf' : 'failed';
    tell(error);
  });
  stream.on('write', () => {
    trouble = 'none';
  });
  stream.on('drop', () => tell(new Error('log lines were dropped: what reads the log is too slow')));
  return {
    write: (line) => {
      if (held === '') setTimeout(handOn, HOLD_MS);
      held += line;
      if (held.length > MAX_BATCH_LENGTH) handOn();
    },
    whenFull: () => full,
    end: () =>
      new Promise((resolve) => {
        process.off('exit', atExit);
        handOn();
        if (trouble === 'deaf') return resolve();
        stream.once('close', () => resolve());
        stream.once('error', () => {
          stream.destroy();
          resolve();
        });
        stream.end();
      }),
  };
}

/** What a line may be late, and what a kill -9 may lose. */
const HOLD_MS = 20;
/** Characters; about what sonic-boom gives to one write. */
const MAX_BATCH_LENGTH = 16_000;
