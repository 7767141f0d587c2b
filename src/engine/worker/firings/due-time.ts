import type { TakenJob } from '../../broker/port.ts';
import { formatDuration } from '../../core/duration.ts';
import { formatInstant } from '../../core/instant.ts';
import type { Outcome } from '../../core/job.ts';
import type { Firing, FiringMark } from '../../core/schedule/firing.ts';
import { startOfRun } from '../../core/schedule/jitter.ts';

/** A firing that is taken earlier than this before it is due was promoted; clocks of machines differ by less. */
const SKEW_MS = 5000;

/**
 * How long the jitter of its entry still holds a firing. It is held once: whoever promotes a firing that is held, or not due yet,
 * wants it to run.
 *
 * @returns milliseconds; 0 when it may start
 */
export function readHold(firing: Firing, mark: FiringMark, { timesTaken }: TakenJob, now: number): number {
  const { entry, dueAt } = firing;
  const jitterMs = Math.trunc(mark.jitterMs ?? 0);
  if (jitterMs <= 0 || timesTaken > 1 || now < dueAt - SKEW_MS) return 0;
  return Math.max(0, startOfRun({ jitterMs }, entry, dueAt) - now);
}

/** Whether a firing that starts now would be too late. The window counts from its due time; the entry sees to it that jitter fits in. */
export function isMissed({ dueAt }: Firing, { windowMs }: FiringMark, now: number): boolean {
  return windowMs !== undefined && now > dueAt + windowMs;
}

export function missedOutcome({ entry, dueAt }: Firing, { windowMs = 0 }: FiringMark, now: number): Outcome {
  const late = `due at ${formatInstant(dueAt)}, ${formatDuration(now - dueAt)} late`;
  const rule = `entry "${entry}" lets a firing start at most ${formatDuration(windowMs)} late`;
  return { kind: 'ended', state: 'IGNORED', reason: `missed: ${late}; ${rule}` };
}
