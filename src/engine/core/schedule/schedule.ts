import type { CronFields } from './cron-fields.ts';
import type { Crontab } from './crontab.ts';
import type { SunEvent } from './sun-events.ts';

/**
 * When an entry fires, checked. Plain data: two processes that hold equal schedules find the same due times, which is what lets any
 * number of beats run. `schedule-options.ts` makes it, `runs.ts` answers what is due, `stored-schedule.ts` is its JSON.
 */
export interface Schedule {
  readonly rule: ScheduleRule;
  /** IANA name. Cron times are read in it; it changes nothing for `every` and `solar`. */
  readonly timezone: string;
  /** No run is due before it, and `every` counts from it. */
  readonly startAt: number | null;
  /** No run is due after it. */
  readonly endAt: number | null;
  readonly maxRuns: number | null;
  /** A run starts up to this long after it is due (`jitter.ts`); due times themselves have no jitter. */
  readonly jitterMs: number;
}

export type ScheduleRule =
  | { readonly kind: 'every'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly text: string; readonly fields: CronFields }
  | { readonly kind: 'crontab'; readonly given: Crontab; readonly fields: CronFields }
  | { readonly kind: 'at'; readonly at: number }
  | { readonly kind: 'solar'; readonly event: SunEvent; readonly latitude: number; readonly longitude: number };
