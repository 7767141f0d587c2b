import { type AttemptMark, parseAttemptLine } from '../core/attempt-line.ts';
import { FRAMES_BEGIN } from '../core/fingerprint.ts';
import type { FailedAttempt, StoredError } from '../core/job.ts';

/** What a job's record says beside its stacks. */
interface RunFacts {
  /** Attempts that ended since the job was added, or put back to work. */
  readonly attemptsMade: number;
  /** With what the job became a dead letter, if it is one. */
  readonly death: StoredError | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly worker: string | null;
}

/**
 * The attempts that failed, by the stacks that are kept of them. A worker of tq has written below each stack when and where the
 * attempt ran. Of another worker's there is only the stack: its number is counted back from the last, and the times of the last
 * attempt are those of the job. A death without a stack (a lock that ran out too often, a child that failed) is the last attempt.
 *
 * @param stored as the store has them, oldest first
 */
export function readFailedAttempts(stored: readonly string[], facts: RunFacts): FailedAttempt[] {
  const entries = stored.map((text) => parseAttemptLine(text));
  const { death, startedAt, finishedAt: endedAt, worker } = facts;
  const last = entries.at(-1);
  const isTold = last !== undefined && (last.mark === null ? isOf(last.stack, death) : last.mark.end === 'dead');
  const ofDeath = { number: facts.attemptsMade || null, end: 'dead', startedAt, endedAt, worker } as const;
  const attempts: FailedAttempt[] = [];
  if (death !== null && !isTold) attempts.push({ ...ofDeath, error: death, isEarlier: false });
  let expected = facts.attemptsMade - attempts.length;
  let isEarlier = false;
  for (const { stack, mark } of entries.reverse()) {
    const isDeath = death !== null && attempts.length === 0;
    isEarlier ||= mark === null ? expected <= 0 : isOver(mark, expected) || (mark.end === 'dead' && !isDeath);
    const known: Omit<AttemptMark, 'number'> = mark ?? (isDeath ? ofDeath : UNKNOWN);
    const number = mark?.number ?? (expected > 0 ? expected : null);
    attempts.push({ ...known, number, error: isDeath ? { ...death, stack } : readError(stack), isEarlier });
    expected = (mark?.number ?? expected) - 1;
  }
  return attempts.reverse();
}

/** Attempts are counted from 1 again when a job is reprocessed: one with a higher number than were made since is of an earlier run. */
function isOver({ number, end }: AttemptMark, expected: number): boolean {
  return number > expected + (end === 'lost' ? 1 : 0);
}

const UNKNOWN = { end: 'retry', startedAt: null, endedAt: null, worker: null } as const;

/** A stack begins with the message, in all languages that BullMQ has workers in but Python, which has it at the end. */
function isOf(stack: string, death: StoredError | null): boolean {
  return death !== null && stack.includes(death.message.slice(0, 200));
}

/** An error as its stack tells it, where the message is not kept apart: `Name [CODE]: message`, then the frames. */
function readError(stack: string): StoredError {
  const { name, code, length } = readHeader(stack);
  const frames = stack.indexOf(FRAMES_BEGIN);
  const message = stack.slice(length, frames < 0 ? undefined : frames);
  return { name, message, code, stack };
}

/** @returns name and code of the error, and how long they are with the colon behind them */
export function readHeader(stack: string): { name: string; code: string | null; length: number } {
  const [header, name = 'Error', code = null] = /^([\w$.]+)(?: \[([^\]\n]+)\])?(?:: ?|(?=\n {4}at )|$)/.exec(stack) ?? [
    '',
    'Error',
    null,
  ];
  return { name, code, length: header.length };
}
