import type { TakenJob } from '../../broker/port.ts';
import { formatDuration } from '../../core/duration.ts';
import { formatInstant } from '../../core/instant.ts';
import type { Outcome } from '../../core/job.ts';
import type { Firing, FiringMark } from '../../core/schedule/firing.ts';
import { startOfRun } from '../../core/schedule/jitter.ts';

/** A firing that is taken earlier than this before it is due was promoted; clocks of machines differ by less. */
const SKEW_MS = 5000;

/**
 * When a firing is to start: its jitter after it was due.
 *
 * @returns epoch ms
 */
export function readStart({ entry, dueAt }: Firing, { jitterMs = 0 }: FiringMark): number {
  return startOfRun({ jitterMs: Math.max(0, Math.trunc(jitterMs)) }, entry, dueAt);
}

/**
 * How long the jitter of its entry still holds a firing. It is held once: whoever promotes a firing that is held, or not due yet,
 * wants it to run.
 *
 * @returns milliseconds; 0 when it may start
 */
export function readHold(firing: Firing, mark: FiringMark, { timesTaken }: TakenJob, now: number): number {
  if (timesTaken > 1 || now < firing.dueAt - SKEW_MS) return 0;
  return mark.jitterMs === undefined ? 0 : Math.max(0, readStart(firing, mark) - now);
}

/** Whether a firing that starts now would be too late. The window begins when its jitter ends, which is no lateness. */
export function isMissed(firing: Firing, mark: FiringMark, now: number): boolean {
  return mark.windowMs !== undefined && now > readStart(firing, mark) + mark.windowMs;
}

export function missedOutcome({ entry, dueAt }: Firing, { windowMs = 0 }: FiringMark, now: number): Outcome {
  const late = `due at ${formatInstant(dueAt)}, ${formatDuration(now - dueAt)} late`;
  const rule = `entry "${entry}" lets a firing start at most ${formatDuration(windowMs)} late`;
  return { kind: 'ended', state: 'IGNORED', reason: `missed: ${late}; ${rule}` };
}
