import { type Duration, parseDuration } from '../core/duration.ts';
import { isRecord } from '../core/envelope.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { MissedRule, Overlap } from '../core/schedule/entry.ts';
import type { MissedPolicy } from '../core/schedule/missed-runs.ts';
import { createScheduleFault, type ScheduleFault } from '../core/schedule/schedule-fault.ts';

/** A policy, or one with its bounds. */
export type MissedOptions =
  | MissedPolicy
  | {
      readonly policy: MissedPolicy;
      /** A firing that would start later than this after its due time does not run. Default a minute for `skip`, else however late. */
      readonly within?: Duration;
      /** With `all`: at most so many are made up for, the latest. Default 100. */
      readonly atMost?: number;
    };

const POLICIES: readonly MissedPolicy[] = ['skip', 'once', 'all'];
const SKIP_WINDOW_MS = 60_000;
const DEFAULT_AT_MOST = 100;
/** Each is a step of its own when the entry goes on, before any of them runs. */
const LARGEST_AT_MOST = 1000;

interface Entry {
  readonly entry: string;
  readonly overlap: Overlap;
  readonly jitterMs: number;
}

/** @throws INVALID_SCHEDULE with the field named, UNKNOWN_OPTION, INVALID_DURATION */
export function parseMissed(options: MissedOptions = 'once', { entry, overlap, jitterMs }: Entry): MissedRule {
  const fault = createScheduleFault(entry);
  const given: unknown = typeof options === 'string' ? { policy: options } : options;
  if (!isRecord(given)) throw fault('missed', `${formatGiven(given)} is no policy`, 'give "skip", "once" or "all"');
  assertKnownOptions(given, ['policy', 'within', 'atMost'], `missed of schedule entry "${entry}"`);
  const policy = POLICIES.find((one) => one === given.policy);
  if (policy === undefined) {
    throw fault('missed', `${formatGiven(given.policy)} is no policy`, 'give "skip", "once" or "all"');
  }
  if (policy === 'all' && overlap !== 'allow') {
    const problem = `"all" makes up for several at once, which overlap "${overlap}" does not let run`;
    throw fault('missed', problem, 'give overlap "allow", or missed "once" or "skip"');
  }
  return {
    policy,
    windowMs: parseWindow(given.within, { policy, entry, jitterMs, fault }),
    atMost: parseAtMost(given.atMost, policy, fault),
  };
}

function parseWindow(
  within: unknown,
  { policy, entry, jitterMs, fault }: Omit<Entry, 'overlap'> & { policy: MissedPolicy; fault: ScheduleFault },
): number | null {
  if (within === undefined) return policy === 'skip' ? SKIP_WINDOW_MS + jitterMs : null;
  const ms = parseDuration(within as Duration, `missed.within of schedule entry "${entry}"`);
  if (ms < 1000) throw fault('missed.within', `${formatGiven(within)} is shorter than 1s`, 'give 1s or more');
  if (ms <= jitterMs) throw fault('missed.within', 'it is not longer than jitter, so firings would come too late');
  return ms;
}

function parseAtMost(atMost: unknown, policy: MissedPolicy, fault: ScheduleFault): number {
  if (atMost === undefined) return DEFAULT_AT_MOST;
  if (policy !== 'all') throw fault('missed.atMost', `"${policy}" makes up for one at most`, 'leave it out');
  if (Number.isInteger(atMost) && (atMost as number) >= 1 && (atMost as number) <= LARGEST_AT_MOST) {
    return atMost as number;
  }
  throw fault('missed.atMost', `${formatGiven(atMost)} is no whole number from 1 to ${LARGEST_AT_MOST}`);
}
