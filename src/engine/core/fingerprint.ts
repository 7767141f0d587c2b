import { createHash } from 'node:crypto';
import { ATTEMPT_WORDS } from './attempt-line.ts';
import type { StoredError } from './job.ts';

/**
 * What makes two errors the same for a person who looks at forty thousand of them: name, code, message without its values, and the
 * first frame that is the application's. Both are read only as far as a summary of a job holds them (broker/job-summary.ts), so that
 * job and summary give one fingerprint.
 */

/** Characters of a message that are looked at, and what is kept of them once its values are replaced. */
const MESSAGE_READ = 600;
const MESSAGE_KEPT = 200;
/** Characters of the frames that are looked at: ten or more of them. */
export const FRAMES_READ = 2000;
/** What the first frame of a stack begins with. */
export const FRAMES_BEGIN = '\n    at ';

/**
 * @returns 8 hex characters: the same for errors that differ only in numbers, ids, quoted values, addresses, paths, lines of code and
 *   the machine
 */
export function fingerprintOf({ name, code, message, stack }: StoredError): string {
  const parts = [name, code ?? '', normalizeMessage(message), stack === null ? '' : (findTopFrame(stack) ?? '')];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8);
}

/** `Name: message` with the values replaced: what the errors of one fingerprint have in common. */
export function describeKind({ name, message }: StoredError): string {
  const normal = normalizeMessage(message);
  return normal === '' ? name : `${name}: ${normal}`;
}

/** In this order: what may stand within another value is replaced after it. */
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|“[^”]*”|«[^»]*»|(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)/g, "'…'"],
  [/\b[a-z][a-z\d+.-]*:\/\/[^\s"'`<>()]+/gi, '<url>'],
  [/[\w.+-]+@[\w.-]*\w/g, '<address>'],
  [/\b[a-z]:\\[^\s:"'`<>|]+(?::\d+){0,2}/gi, '<path>'],
  [/(?<![\w.~])(?:~|\.{1,2})?(?:\/[\w.@+~-]+)+\/?(?::\d+){0,2}/g, '<path>'],
  [/(?<![\w./])[\w.@+-]+(?:\/[\w.@+-]+)+\.[a-z]\w{0,4}(?::\d+){0,2}/gi, '<path>'],
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d\b)?/g, '#'],
  [/(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi, '#'],
  [/\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi, '#'],
  [/\b0x[\da-f]+\b|\b[\da-f]{16,}\b/gi, '#'],
  // An id of letters and digits: cus_Nffrj3Vw, 01HZX3T9, 3f2a9c51d7e4.
  [/(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{8,}(?![\w-])|\b(?=[\da-f]*\d)(?=\d*[a-f])[\da-f]{6,}\b/gi, '#'],
  [/[+-]?\d+(?:[.,:_-]\d+)*(?:\s?(?:[nuµm]s|s|sec|min|m|h|d|[kMGT]?i?B|%)(?!\w))?/g, '#'],
  [/#(?:,\s?#)+/g, '#'],
  [/\s+/g, ' '],
];

function normalizeMessage(message: string): string {
  const isCut = message.length > MESSAGE_READ;
  // A value that the cut falls into would be another one for each of its lengths.
  let text = isCut ? message.slice(0, MESSAGE_READ) : message;
  for (const [pattern, replacement] of VALUES) text = text.replace(pattern, replacement);
  if (isCut) text = text.replace(/(?:["`“«]|(?<!\w)'(?!…')).*$/s, '').replace(/\S*$/, '');
  return text.trim().slice(0, MESSAGE_KEPT);
}

/**
 * The first frame that is neither Node's nor that of a package: its function and the name of its file, without what differs between
 * two builds and two machines. Undefined for a stack without such a frame, and for stacks of other languages.
 */
function findTopFrame(stack: string): string | undefined {
  const from = stack.indexOf(FRAMES_BEGIN);
  if (from < 0) return undefined;
  const frames = stack.slice(from + 1, from + 1 + FRAMES_READ).split('\n');
  if (stack.length > from + 1 + FRAMES_READ) frames.pop();
  for (const row of frames) {
    const frame = readFrame(row);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

function readFrame(row: string): string | undefined {
  const text = /^\s+at (?:async )?(.+)$/.exec(row)?.[1];
  if (text === undefined || text.startsWith(ATTEMPT_WORDS)) return undefined;
  const open = text.endsWith(')') ? text.indexOf(' (') : -1;
  const place = open < 0 ? text : text.slice(open + 2, -1);
  const file = /^(.*[\\/].*?)(?:\?.*?)?:\d+(?::\d+)?$/.exec(place)?.[1];
  if (file === undefined || /^node:|^internal\/|[\\/]node_modules[\\/]/.test(file)) return undefined;
  const name = open < 0 ? '' : text.slice(0, open).replace(/^(?:Object|Module)\.| \[as .*\]$/g, '');
  return `${name}@${nameOfFile(file)}`;
}

/** Builds add a hash to the name, and change its ending. */
function nameOfFile(path: string): string {
  const file = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return file.replace(/\.[cm]?[jt]sx?$/, '').replace(/[-.](?=\w*\d)\w{6,}$/, '');
}
