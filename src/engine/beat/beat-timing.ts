import { OVERDUE_MS } from '../core/schedule/firing.ts';

/** How often a beat does what, and how long it waits for what; milliseconds. */
export interface BeatTiming {
  /** A leader that does not renew its lease for so long leads no more. */
  readonly leaseMs: number;
  /** A leader renews it, and a standby asks for it, so often. */
  readonly renewMs: number;
  /** At least so often a leader asks whether entries have changed, and looks whether one is due. */
  readonly pulseMs: number;
  /** So often it looks at the schedulers of all entries. */
  readonly lookMs: number;
  /** All entries are read again so often though nobody said that one has changed. */
  readonly rereadMs: number;
  /** An entry that was changed is left so long to who changed it, before the beat mends what is wrong with its scheduler. */
  readonly settleMs: number;
  /** A firing that has not started so long after it was due is warned of. */
  readonly startWithinMs: number;
}

export const DEFAULT_TIMING: BeatTiming = {
  leaseMs: 15_000,
  renewMs: 5000,
  pulseMs: 1000,
  lookMs: 30_000,
  rereadMs: 300_000,
  settleMs: 5000,
  startWithinMs: OVERDUE_MS,
};
