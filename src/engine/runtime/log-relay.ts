import type { Logger } from 'pino';
import type { LogDestination, LogTarget } from './log-destination.ts';
import { LOG_LEVELS, type LogLevel } from './log-level.ts';
import type { LoggedError } from './logged-error.ts';

/** What the logger of another process must be told, so that its lines fit into this log. */
export interface LogShape {
  readonly level: LogLevel;
  readonly redact: readonly string[];
  readonly base: Readonly<Record<string, unknown>>;
}

/** The way of lines into a log that another process has made, as createLogger() makes them there. */
export interface LogRelay {
  readonly shape: LogShape;
  /** Writes a line of JSON, its line feed included. */
  write(line: string): void;
  /** When the log waits for a slow reader: resolves once it does not. */
  whenFull(): Promise<void> | undefined;
}

/** Where a log goes and how its lines look, as plain data: another thread of this process can write to it by itself. */
export interface LogPlace extends LogShape {
  readonly target: 1 | 2 | string;
  readonly pretty: boolean;
  readonly color: boolean;
}

interface Origin extends Pick<LogPlace, 'redact' | 'base' | 'pretty' | 'color'> {
  readonly destination: LogDestination;
  readonly target: LogTarget;
}

const origins = new WeakMap<Logger, Origin>();

/** Remembers where the lines of a logger go; createLogger() does. */
export function registerLog(log: Logger, origin: Origin): void {
  origins.set(log, origin);
}

/**
 * A logger of createLogger() takes the lines unchanged: they have its format, and the time of their making. Any other
 * logger of pino is given their fields and message, which its own format, level and time are put to.
 */
export function relayInto(log: Logger): LogRelay {
  const level = LOG_LEVELS.find((known) => known === log.level) ?? 'info';
  const origin = origins.get(log);
  if (origin === undefined) {
    const shape: LogShape = { level, redact: [], base: {} };
    return { shape, write: (line) => logAnew(log, line), whenFull: () => undefined };
  }
  const { destination, redact, base } = origin;
  return {
    shape: { level, redact, base },
    write: (line) => destination.write(line),
    whenFull: () => destination.whenFull(),
  };
}

/**
 * The place of a logger's lines, for a thread that must say something while the one of the logger cannot. What only the
 * logger's own thread can write to is stood in for by stderr: a stream of the application, a logger that it made itself.
 */
export function findLogPlace(log: Logger): LogPlace {
  const level = LOG_LEVELS.find((known) => known === log.level) ?? 'info';
  const origin = origins.get(log);
  const target = origin === undefined ? undefined : findDescriptor(origin.target);
  if (origin === undefined || target === undefined) {
    return { level, redact: origin?.redact ?? [], base: toData(origin?.base), target: 2, pretty: false, color: false };
  }
  const { redact, base, pretty, color } = origin;
  return { level, redact, base: toData(base), target, pretty, color };
}

/** The streams of the process itself write to its descriptors, and close them as little as a log does. */
function findDescriptor(target: LogTarget): LogPlace['target'] | undefined {
  if (typeof target !== 'object') return target;
  const { fd } = target as { fd?: unknown };
  return fd === 1 || fd === 2 ? fd : undefined;
}

function toData(base: LogShape['base'] = {}): LogShape['base'] {
  return JSON.parse(JSON.stringify(base)) as LogShape['base'];
}

function logAnew(log: Logger, line: string): void {
  const { timestamp: _, level, message, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const method = LOG_LEVELS.find((known) => known === String(level).toLowerCase()) ?? 'info';
  const shown = err === undefined ? fields : { ...fields, err: toError(err) };
  log[method](shown, typeof message === 'string' ? message : '');
}

/** What a serializer of errors takes for one; pino's own names it by its class, unless it has none. */
function toError(logged: unknown): unknown {
  if (typeof logged !== 'object' || logged === null) return logged;
  const { type, message, stack, code } = logged as Partial<LoggedError>;
  const error = new Error(message);
  Object.defineProperty(error, 'constructor', { value: undefined });
  Object.defineProperty(error, 'name', { value: type ?? 'Error' });
  Object.defineProperty(error, 'stack', { value: stack ?? `${type}: ${message}` });
  return code == null ? error : Object.assign(error, { code });
}
