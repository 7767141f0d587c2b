import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { decodeFromParent, encodeLine, encodeMessage, type FromChild, type ToChild } from './protocol.ts';

/** The descriptor of the pipe; see the spawn in child.ts. */
const CHANNEL_FD = 3;
/** Most messages fit into one read. */
const READ_BYTES = 64 * 1024;
/** Characters of held lines that are worth a write of their own. */
const HELD_LENGTH = 16 * 1024;
const LINE_FEED = 10;

/** The child's end of the pipe to its parent. */
export interface ParentChannel {
  send(message: Exclude<FromChild, { kind: 'line' }>): void;
  /** Sends a log line at the latest with the next message or at the end of this turn of the event loop. */
  holdLine(line: string): void;
  /** Sends a log line now: what follows may block the event loop for ever. */
  sendLine(line: string): void;
  /** Sends while the process ends, when nothing asynchronous would happen any more. What cannot be sent at once is lost. */
  sendLast(message: Exclude<FromChild, { kind: 'line' }>): void;
  /** Resolves when everything has been handed to the system. */
  flush(): Promise<void>;
}

interface Listeners {
  readonly onMessage: (message: ToChild) => void;
  /** The pipe has ended: the parent is gone, or the application has closed it. */
  readonly onEnd: () => void;
}

/**
 * Opens the pipe. Reads go into one buffer, and writes of one moment are joined: a job costs one read and one write on each
 * side. A pipe of its own is as fast as Node's IPC channel, and is not in the way of an application that has one.
 */
export function openParentChannel({ onMessage, onEnd }: Listeners): ParentChannel {
  let held = '';
  let isFlushDue = false;
  const read = createMessageReader(onMessage);
  const socket = new Socket({
    fd: CHANNEL_FD,
    readable: true,
    writable: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback(length, buffer) {
        read(buffer as Buffer, length);
        return true;
      },
    },
  });
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  socket.on('error', onEnd);
  socket.resume();

  const write = (text: string, written?: () => void): void => {
    const all = held + text;
    held = '';
    socket.write(all, written);
  };
  const flushHeld = (): void => {
    isFlushDue = false;
    if (held !== '') write('');
  };
  return {
    send: (message) => write(encodeMessage(message)),
    holdLine(line) {
      held += encodeLine(line);
      if (held.length > HELD_LENGTH) return write('');
      if (isFlushDue) return;
      isFlushDue = true;
      setImmediate(flushHeld);
    },
    sendLine: (line) => write(encodeLine(line)),
    sendLast(message) {
      // Before what waits in the socket it would cut a message in two.
      if (socket.writableLength > 0) return;
      const all = held + encodeMessage(message);
      held = '';
      try {
        writeSync(CHANNEL_FD, all);
      } catch {
        // The parent sees the end of the process in any case.
      }
    },
    flush: () => new Promise((resolve) => write('', resolve)),
  };
}

/** Puts messages together that come in several reads. */
function createMessageReader(onMessage: (message: ToChild) => void): (buffer: Buffer, length: number) => void {
  let pieces: Buffer[] = [];
  return (buffer, length) => {
    let from = 0;
    let end = indexOfLineFeed(buffer, from, length);
    while (end >= 0) {
      const last = buffer.subarray(from, end);
      const text = pieces.length === 0 ? last.toString() : Buffer.concat([...pieces, last]).toString();
      pieces = [];
      onMessage(decodeFromParent(text));
      from = end + 1;
      end = indexOfLineFeed(buffer, from, length);
    }
    // The buffer is used again for the next read.
    if (from < length) pieces.push(Buffer.from(buffer.subarray(from, length)));
  };
}

function indexOfLineFeed(buffer: Buffer, from: number, length: number): number {
  const at = buffer.indexOf(LINE_FEED, from);
  return at < length ? at : -1;
}
