/**
 * The last line of the stack that is stored with a failed attempt: what the stack does not tell. It reads like a frame, so that
 * whoever shows stacks of BullMQ's jobs shows it as one, and it is stored with the outcome, in the same write.
 */

/** What became of the job: it was to run again, it became a dead letter, or its process had died and no attempt was charged. */
export type AttemptEnd = 'retry' | 'dead' | 'lost';

export interface AttemptMark {
  /** From 1. An attempt that was lost has the number of the next one. */
  readonly number: number;
  readonly end: AttemptEnd;
  /** Epoch ms. */
  readonly startedAt: number | null;
  /** Epoch ms. */
  readonly endedAt: number | null;
  readonly worker: string | null;
}

/** With what the line begins behind `    at `. */
export const ATTEMPT_WORDS = 'tq attempt ';

const LINE = /\n {4}at tq attempt (\d+) \((retry|dead|lost), (\S+) to (\S+), ([^\n]*)\)$/;

/** @returns the stack with the mark below it */
export function formatAttemptLine(stack: string, { number, end, startedAt, endedAt, worker }: AttemptMark): string {
  const times = `${formatInstant(startedAt)} to ${formatInstant(endedAt)}`;
  const name = (worker ?? '').replace(/\s/g, ' ');
  return `${stack}\n    at ${ATTEMPT_WORDS}${number} (${end}, ${times}, ${name})`;
}

/** @returns the stack as it was thrown, and its mark; none for one that no worker of tq has stored */
export function parseAttemptLine(stored: string): { readonly stack: string; readonly mark: AttemptMark | null } {
  const found = LINE.exec(stored.slice(stored.lastIndexOf('\n')));
  if (found === null) return { stack: stored, mark: null };
  const [line, number, end, startedAt, endedAt, worker = ''] = found;
  const times = { startedAt: parseInstant(startedAt), endedAt: parseInstant(endedAt) };
  const mark = { number: Number(number), end: end as AttemptEnd, ...times, worker: worker === '' ? null : worker };
  return { stack: stored.slice(0, stored.length - line.length), mark };
}

function formatInstant(at: number | null): string {
  const date = new Date(at ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}

function parseInstant(text: string | undefined): number | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : at;
}
