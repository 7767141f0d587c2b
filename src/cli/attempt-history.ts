import { formatDuration } from '../engine/core/duration.ts';
import { escapeControl } from '../engine/core/escape.ts';
import type { StoredError } from '../engine/core/job.ts';
import type { ReprocessNote } from '../engine/core/reprocess-note.ts';
import type { JobAttempt } from '../ops/job-attempts.ts';
import type { Paint, Tone } from './paint.ts';
import type { Block } from './presentation.ts';

const TONES: Readonly<Record<JobAttempt['outcome'], Tone>> = {
  retry: 'waiting',
  lost: 'waiting',
  dead: 'bad',
  failed: 'bad',
  running: 'busy',
  succeeded: 'good',
  ignored: 'faint',
  revoked: 'faint',
};

/**
 * The attempts of a job, the last at the bottom, each with its error and stack; where the job was reprocessed is said between them. An
 * error that came again is not printed again. In a pipe one line each: `attempt<TAB>JSON`.
 */
export function attemptHistory(attempts: readonly JobAttempt[], reprocessed: readonly ReprocessNote[]): Block {
  return {
    kind: 'drawn',
    draw({ isTerminal, paint, now }) {
      if (!isTerminal) return attempts.map((each) => `attempt\t${escapeControl(JSON.stringify(each))}\n`).join('');
      if (attempts.length === 0) return '';
      return `\n${paint('title', 'attempts')}\n${listRows(attempts, reprocessed)
        .map((row) => ('by' in row ? drawNote(row, paint) : drawAttempt(row, paint, now)))
        .join('')}`;
    },
  };
}

interface AttemptRow extends JobAttempt {
  /** The attempt before it had the same error and stack. */
  readonly isSame: boolean;
}

/** A row of the log says when a job was reprocessed: what began later comes below it. */
function listRows(
  attempts: readonly JobAttempt[],
  reprocessed: readonly ReprocessNote[],
): (AttemptRow | ReprocessNote)[] {
  const notes = [...reprocessed];
  const rows = attempts.flatMap((attempt, index): (AttemptRow | ReprocessNote)[] => {
    const { startedAt, isEarlier, error } = attempt;
    const isAfter = ({ at }: ReprocessNote): boolean => (startedAt === null ? !isEarlier : startedAt >= at);
    const passed = notes.findIndex((note) => !isAfter(note));
    const before = notes.splice(0, passed < 0 ? notes.length : passed);
    const isSame = error !== null && isSameError(attempts[index - 1]?.error ?? null, error);
    return [...before, { ...attempt, isSame }];
  });
  return [...rows, ...notes];
}

function isSameError(one: StoredError | null, other: StoredError): boolean {
  return one !== null && one.message === other.message && one.stack === other.stack;
}

function drawNote({ at, by }: ReprocessNote, paint: Paint): string {
  return `${paint('faint', `  reprocessed ${new Date(at).toISOString()} by ${escapeControl(by)}`)}\n`;
}

function drawAttempt(row: AttemptRow, paint: Paint, now: number): string {
  const { attempt, outcome, startedAt, durationMs, worker, error, isSame } = row;
  const facts = [
    startedAt === null ? 'start unknown' : new Date(startedAt).toISOString(),
    durationMs === null ? null : `took ${formatDuration(durationMs)}`,
    durationMs === null && outcome === 'running'
      ? `for ${formatDuration(Math.max(0, now - (startedAt ?? now)))}`
      : null,
    worker === null ? null : `on ${escapeControl(worker)}`,
  ].filter((fact) => fact !== null);
  const number = attempt === null ? '#?' : `#${attempt}`;
  const head = `  ${number} ${paint(TONES[outcome], outcome)}  ${facts.join('  ')}\n`;
  if (error === null) return head;
  if (isSame) return `${head}${paint('faint', '    error and stack as above')}\n`;
  return `${head}${indent(escapeControl(describeError(error), true))}`;
}

/** A stack begins with name and message; one that does not, or was cut, has them put before it. */
function describeError({ name, message, code, stack }: StoredError): string {
  const header = `${name}${code === null ? '' : ` [${code}]`}: ${message}`;
  if (stack === null) return header;
  return stack.includes(message.slice(0, 200)) ? stack : `${header}\n${stack}`;
}

function indent(text: string): string {
  return `${text.replace(/^(?=.)/gm, '    ')}\n`;
}
