import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { escapeControl } from '../../core/escape.ts';
import type { LogRelay } from '../../runtime/log-relay.ts';
import { LineSplitter } from './line-splitter.ts';

/** Characters of a line that are logged; the rest is left out and counted. */
const MAX_LINE = 8192;
/** Characters of stderr that are kept for the case that the process dies: the last words of Node say why. */
const MAX_TAIL = 4096;

export interface OutputOptions {
  readonly name: 'stdout' | 'stderr';
  readonly logger: Logger;
  readonly relay: Pick<LogRelay, 'whenFull'>;
  /** The fields of the job that runs now, or those of the process. */
  readonly fields: () => Readonly<Record<string, unknown>>;
}

export interface ChildOutput {
  /** The end of what was written. */
  readonly tail: string;
  /** Logs a line that has no end yet: the task that wrote it has ended. */
  flush(): void;
}

/**
 * Logs what a child process prints, a line for a line, with the job that was running when it was read. While the log waits for
 * a slow reader nothing is read, so that the printing process waits too and no megabytes pile up here.
 */
export function logOutput(stream: Readable, { name, logger, relay, fields }: OutputOptions): ChildOutput {
  const level = name === 'stdout' ? 'info' : 'warn';
  const splitter = new LineSplitter(MAX_LINE);
  let tail = '';
  let leftOut = 0;

  const log = (line: string): void => {
    if (line.trim() === '' || !logger.isLevelEnabled(level)) return;
    const rest = leftOut + Math.max(0, line.length - MAX_LINE);
    const shown = escapeControl(line.slice(0, MAX_LINE).replace(/\r$/, ''));
    logger[level]({ ...fields(), stream: name }, rest === 0 ? shown : `${shown}… (${rest} characters left out)`);
  };
  const onLine = (line: string): void => {
    log(line);
    leftOut = 0;
  };

  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    if (name === 'stderr') tail = (tail + text).slice(-MAX_TAIL);
    splitter.push(text, onLine);
    if (splitter.isTooLong) {
      const start = splitter.take();
      leftOut += start.length - MAX_LINE;
      splitter.push(start.slice(0, MAX_LINE), onLine);
    }
    const full = relay.whenFull();
    if (full === undefined) return;
    stream.pause();
    void full.then(() => stream.resume());
  });
  const flush = (): void => {
    const rest = splitter.take();
    if (rest !== '') onLine(rest);
  };
  stream.on('end', flush);
  // A pipe that breaks has nothing more to say.
  stream.on('error', flush);
  return {
    get tail() {
      return tail;
    },
    flush,
  };
}
