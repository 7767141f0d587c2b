import { Chalk } from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { escapeControl } from '../core/escape.ts';

type Fields = Record<string, unknown>;

/**
 * Makes of a JSON log line one for people:
 *
 *     12:34:56.789 INFO  task succeeded  email.send 0198…  queue=high attempt=1 12ms request_id=…
 *
 * The time is local. The fields of a task come first and in this order, then the others as they were given; the stack of
 * an error stands indented below. What came out of a job cannot steer the terminal or fake a line: control characters
 * are shown, not obeyed, and only indented lines follow the first.
 */
export function createLineFormat({ color }: { color: boolean }): (line: string) => string {
  const paint = new Chalk({ level: color ? 1 : 0 });
  const levels: Record<string, (text: string) => string> = {
    TRACE: paint.gray,
    DEBUG: paint.gray,
    INFO: paint.green,
    WARN: paint.yellow,
    ERROR: paint.red,
    FATAL: paint.bgRed,
  };
  return (line) => {
    const fields = parseLine(line);
    if (fields === undefined) return `${escapeControl(line.trimEnd())}\n`;
    const { timestamp, level, message, err, ...rest } = fields;
    const label = text(level);
    const head = [
      paint.dim(formatTime(timestamp)),
      (levels[label] ?? paint.white)(label.padEnd(5)),
      message === undefined ? '' : text(message),
    ].join(' ');
    const parts = [head.trimEnd(), formatTask(rest), paint.dim(formatFields(rest))].filter((part) => part !== '');
    return `${parts.join('  ')}\n${paint.red(formatError(err))}`;
  };
}

function parseLine(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function formatTime(timestamp: unknown): string {
  const date = new Date(typeof timestamp === 'string' ? timestamp : Number.NaN);
  if (Number.isNaN(date.getTime())) return '--:--:--.---';
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

function formatTask(fields: Fields): string {
  return ['task_name', 'task_id']
    .filter((key) => fields[key] !== undefined)
    .map((key) => text(fields[key]))
    .join(' ');
}

const SHOWN_APART = ['task_name', 'task_id', 'queue', 'attempt', 'duration_ms', 'request_id'];

function formatFields(fields: Fields): string {
  const pair = (key: string): string[] =>
    fields[key] === undefined ? [] : [`${escapeControl(key)}=${formatValue(fields[key])}`];
  const duration = typeof fields.duration_ms === 'number' ? [formatDuration(fields.duration_ms)] : pair('duration_ms');
  // On the lines of a task its worker is the process that the reader looks at.
  const hidden = fields.task_id === undefined ? SHOWN_APART : [...SHOWN_APART, 'worker'];
  const others = Object.keys(fields).filter((key) => !hidden.includes(key));
  return [...pair('queue'), ...pair('attempt'), ...duration, ...pair('request_id'), ...others.flatMap(pair)].join(' ');
}

function formatValue(value: unknown): string {
  if (typeof value !== 'string') return escapeControl(JSON.stringify(value));
  return /^[^\s"=]+$/.test(value) ? escapeControl(value) : escapeControl(JSON.stringify(value));
}

function formatError(err: unknown): string {
  if (err === undefined) return '';
  const { type, message, stack, code } = (typeof err === 'object' && err !== null ? err : { message: err }) as Fields;
  const first = [type, message]
    .filter((part) => part !== undefined)
    .map(String)
    .join(': ');
  const shown = typeof stack === 'string' ? stack : first;
  const suffix = typeof code === 'string' && !shown.includes(code) ? ` (${code})` : '';
  const [head = '', ...lines] = escapeControl(shown, true).split('\n');
  return [`${head}${escapeControl(suffix)}`, ...lines].map((line) => `    ${line}\n`).join('');
}

function text(value: unknown): string {
  return escapeControl(typeof value === 'string' ? value : JSON.stringify(value));
}
