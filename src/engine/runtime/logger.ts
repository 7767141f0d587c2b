import { type Logger, pino } from 'pino';
import type { Clock } from '../core/clock.ts';
import { createLogDestination, type LogTarget } from './log-destination.ts';
import type { LogLevel } from './log-level.ts';
import { createLineFormat } from './log-line.ts';
import { registerLog } from './log-relay.ts';
import { describeError } from './logged-error.ts';
import { systemClock } from './system-clock.ts';

export interface LoggerOptions {
  level: LogLevel;
  /** 1 for stdout, 2 for stderr, the path of a file (appended to, its folder made), or a stream. */
  destination: LogTarget;
  /** Readable lines in place of JSON. Default false. */
  pretty?: boolean;
  /** Colours in readable lines. Default false. */
  color?: boolean;
  /** Paths whose values are replaced by `[Redacted]`, in pino's notation: `password`, `user.email`, `*.token`. */
  redact?: readonly string[];
  /** Fields of every line, for example `{ worker }`. */
  base?: Readonly<Record<string, unknown>>;
  clock?: Clock;
  /** The log cannot be written (disk full, closed pipe). It must not stop the work, so it is told here and nowhere else. */
  onTrouble?: (error: Error) => void;
}

/** A logger and what its process must do with it at the end. */
export interface ProcessLog {
  readonly log: Logger;
  /** Opens the file anew after it was rotated. Does nothing when the log goes elsewhere. */
  reopen(): Promise<void>;
  /** Writes what is still held back, then ends. Every line that was logged before is written when this resolves. */
  close(): Promise<void>;
}

/**
 * The log of one process (design.md section 11). JSON lines hold `timestamp` (ISO), `level` (upper case), the fields of
 * the line as given (`task_id`, `task_name`, `queue`, `attempt`, `request_id`, `worker`, `duration_ms`), `err` as
 * `{ type, message, stack, code }`, and `message`; neither pid nor host name unless `base` holds them.
 *
 * A level that is off costs an empty call. Readable lines are made from the JSON line, after redaction, so nothing can
 * be seen on a terminal that the file would not show.
 *
 * @throws INVALID_OPTION when the file cannot be opened
 */
export function createLogger(options: LoggerOptions): ProcessLog {
  const { level, pretty = false, color = false, redact = [], base = {}, clock = systemClock } = options;
  const destination = createLogDestination(options.destination, {
    ...(pretty && { format: createLineFormat({ color }) }),
    onTrouble: options.onTrouble ?? (() => {}),
  });
  const log = pino(
    {
      level,
      base,
      messageKey: 'message',
      errorKey: 'err',
      timestamp: createTimestamp(clock),
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      serializers: { err: describeError },
      ...(redact.length > 0 && { redact: [...redact] }),
    },
    destination,
  );
  registerLog(log, { destination, redact, base, target: options.destination, pretty, color });
  return { log, reopen: () => destination.reopen(), close: () => destination.close() };
}

/** A busy worker logs many lines in one millisecond; the text is made once for all of them. */
function createTimestamp(clock: Clock): () => string {
  let lastAt = Number.NaN;
  let text = '';
  return () => {
    const now = clock.now();
    if (now !== lastAt) {
      lastAt = now;
      text = `,"timestamp":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}
