import { createError, type TaskRevoked } from './errors.ts';
import type { JobState } from './state.ts';

/**
 * That a job is not to run any more. It is a fact that lies with the job in the broker, so it outlives every process: whoever
 * takes the job up reads it and ends the job instead of running it.
 */
export interface Revocation {
  /** Epoch ms. */
  readonly at: number;
  /** Who asked for it, when that is known. */
  readonly by: string | null;
}

/**
 * What a revocation did to a job:
 *
 * - `never started`: it waited, and will not run;
 * - `not started again`: it had run before, waited for another attempt, and will not run again;
 * - `aborted`: its signal aborted and its function ended · `killed`: its process was ended · `given up`: its function goes on
 *   in the worker, which does not wait for it any more;
 * - `had finished`: it ended by itself, before or while it was asked about;
 * - `ignored the signal`: it still runs. It is not retried; a result that it gives all the same counts;
 * - `no answer`: it is active, and its worker said nothing · `not asked`: its worker was not among those addressed;
 * - `orphaned`: it is active, and no live worker has it. It will not run again;
 * - `unknown`: no queue holds it.
 */
export type Happened =
  | 'never started'
  | 'not started again'
  | 'aborted'
  | 'killed'
  | 'given up'
  | 'had finished'
  | 'ignored the signal'
  | 'no answer'
  | 'not asked'
  | 'orphaned'
  | 'unknown';

/** What became of one id that was revoked. */
export interface RevokedJob {
  readonly id: string;
  /** Null of an unknown id, as the queue is. */
  readonly task: string | null;
  readonly queue: string | null;
  readonly happened: Happened;
  /** Its state afterwards. */
  readonly state: JobState;
  /** The worker that has or had it. */
  readonly worker: string | null;
}

const MARK = /^tq: revoked(?: by (.+))? at (\d{4}-\S+Z)$/;

/** With what every mark begins. */
export const MARK_PREFIX = 'tq: revoked';

/** Longer names are cut: they are for people. */
const MAX_NAME = 200;

/** The text that lies with a job. A plain BullMQ worker that takes the job up fails it with these words. */
export function formatMark(revocation: Revocation): string {
  return `${MARK_PREFIX} ${describeRevocation(revocation)}`;
}

/** Reads the text back; undefined for a failure that others put there. */
export function parseMark(text: string | null | undefined): Revocation | undefined {
  const [, by = null, date = ''] = MARK.exec(text ?? '') ?? [];
  const at = Date.parse(date);
  return Number.isNaN(at) ? undefined : { at, by };
}

/** `by ada@box at 2031-05-01T12:00:00.000Z`: why a job was revoked, for people. */
export function describeRevocation({ at, by }: Revocation): string {
  const name = (by ?? '')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, MAX_NAME);
  return `${name === '' ? '' : `by ${name} `}at ${new Date(at).toISOString()}`;
}

/** How the job of a revoked attempt ends. */
export function revokedOutcome(revocation: Revocation): {
  readonly kind: 'ended';
  readonly state: 'REVOKED';
  readonly reason: string;
} {
  return { kind: 'ended', state: 'REVOKED', reason: describeRevocation(revocation) };
}

/** The reason of `context().signal` of a job that was revoked while it ran. */
export function createTaskRevoked(
  { id, task }: { readonly id: string; readonly task: string },
  revocation: Revocation,
  terminate: boolean,
): TaskRevoked {
  const error = createError('TASK_REVOKED', { id, task, reason: describeRevocation(revocation) });
  return Object.assign(error, { by: revocation.by, terminate }) as TaskRevoked;
}
