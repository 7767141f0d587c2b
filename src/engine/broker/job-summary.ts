import type { JobJson } from 'bullmq';
import { FRAMES_BEGIN, FRAMES_READ, fingerprintOf } from '../core/fingerprint.ts';
import type { JobSummary } from '../core/job.ts';
import type { SummaryRecord } from './store.ts';
import { toStoredJob } from './stored-job.ts';

/** A longer return value is not looked into: how a job ended is told in fewer bytes. */
export const MAX_MARKER = 65_536;
/** With what the return value of a job begins that ended in another way than by a result. */
export const MARKER_BEGIN = '{"$tq"';
/** Of the last stack: name and code stand at its begin. */
export const STACK_HEAD = 300;
/** Of the frames of the last stack, which may stand behind a long message. One more than a fingerprint reads shows that there are more. */
export const FRAMES_HEAD = FRAMES_READ + 2;
/** Of an error's text. */
export const MESSAGE_HEAD = 2000;

/** A record of the store in tq's words. It is read as a whole job is, with nothing where its data and its result would be. */
export function toJobSummary(
  record: SummaryRecord,
  { id, queue }: { readonly id: string; readonly queue: string },
): JobSummary {
  const { state, dueAt, stackHead, ...fields } = record;
  const json = {
    ...fields,
    id,
    data: '',
    opts: {},
    stacktrace: stackHead === undefined ? [] : [stackHead],
  } as unknown as JobJson;
  const job = toStoredJob(json, queue, state, dueAt, true);
  const { task, attempts, worker, reason, progress } = job;
  const { createdAt, startedAt, finishedAt } = job;
  const error = job.error === null ? null : { ...job.error, stack: null };
  const fingerprint = job.error === null ? null : fingerprintOf(job.error);
  const times = { createdAt, dueAt: job.dueAt, startedAt, finishedAt };
  return {
    id,
    task,
    queue,
    state: job.state,
    attempts,
    worker,
    ...times,
    progress,
    error,
    fingerprint,
    reason,
    revoked: job.revoked,
  };
}

/** The begin of a stack, and of its frames. */
export function cutStack(stack: string): string {
  const frames = stack.indexOf(FRAMES_BEGIN);
  if (frames < 0) return stack.slice(0, STACK_HEAD);
  return stack.slice(0, Math.min(frames, STACK_HEAD)) + stack.slice(frames, frames + FRAMES_HEAD);
}

/** What JSON text says; undefined for what is none. */
export function parseField(text: string | null | undefined): unknown {
  if (text === null || text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
