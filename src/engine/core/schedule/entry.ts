import type { StoredRetry } from '../retry-policy.ts';
import type { MissedPolicy } from './missed-runs.ts';
import type { Schedule } from './schedule.ts';

/** What a firing does when an earlier one of its entry has not ended: run beside it, not run, or take its place. */
export type Overlap = 'allow' | 'skip' | 'replace';

/** What becomes of due times that passed while nobody was there to fire them, or to take what had been fired. */
export interface MissedRule {
  readonly policy: MissedPolicy;
  /** A firing that would start later than this after its due time does not run any more; null: however late. */
  readonly windowMs: number | null;
  /** With the policy `all`: at most so many due times are made up for, the latest. */
  readonly atMost: number;
}

/** What an entry fires, when and how: all of it that code or an operator decides. Checked. */
export interface EntryDefinition {
  readonly task: string;
  readonly args: readonly unknown[];
  /** Where its firings go. */
  readonly queue: string;
  readonly schedule: Schedule;
  readonly overlap: Overlap;
  readonly missed: MissedRule;
  readonly call: EntryCall;
  readonly description: string | null;
}

/** The call options of each firing. */
export interface EntryCall {
  /** 0 to 9, 9 first. */
  readonly priority?: number;
  /** A firing that has not started this long after its due time is revoked. */
  readonly expiresMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly softTimeLimitMs?: number;
  readonly timeLimitMs?: number;
  readonly retry?: StoredRetry | false;
  readonly resultExpiresMs?: number;
  readonly ignoreResult?: boolean;
}

/** An entry as the broker keeps it. */
export interface ScheduleEntry {
  /** Unique in the broker; also the id of its job scheduler. */
  readonly name: string;
  readonly definition: EntryDefinition;
  /** It does not fire until it is resumed. */
  readonly isPaused: boolean;
  /** `code`: an app declares it, and it goes when no app does any more. `operator`: it was added by hand or by a program. */
  readonly source: 'code' | 'operator';
  /** The name of the app that declares it; null when that has none, and for an entry of an operator. */
  readonly app: string | null;
  /** What code declared when it was stored last, as JSON; null for an entry of an operator. An operator's edit leaves it as it is. */
  readonly declared: string | null;
  /** How often it had fired before its job scheduler was made last: a pause or an edit makes a new one. */
  readonly runsBefore: number;
  readonly createdAt: number;
  readonly changedAt: number;
  /** Of the store: an entry is only overwritten as it was read. */
  readonly version: string;
}
