/** What a cron expression or a crontab allows, as sorted lists of numbers. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: DayRule;
  /** 1 to 12. */
  readonly months: readonly number[];
  /**
   * In an hour that a change of the clock repeats, fire again. So do entries that fire in every hour, and those whose minute is written
   * with `*`, as cron(8) has it for jobs that run more often than hourly; all others fire once for each time on the clock.
   */
  readonly isRepeated: boolean;
}

export interface DayRule {
  /** 1 to 31. */
  readonly daysOfMonth: readonly number[];
  readonly isLastDayIncluded: boolean;
  /** 0 to 6 from Sunday. */
  readonly weekdays: readonly number[];
  readonly nthWeekdays: readonly NthWeekday[];
  /** True: a day fits by its number or by its weekday (cron). False: it must fit by both. */
  readonly isEither: boolean;
}

export interface NthWeekday {
  readonly weekday: number;
  /** 1 to 5, or 0 for the last of the month. */
  readonly nth: number;
}

/** All hours: an hour that the clock skips takes nothing from such an entry, it goes on with the next. */
export function isHourly({ hours }: CronFields): boolean {
  return hours.length === 24;
}

/** The most days that a month, 1 to 12, ever has. */
export function longestMonth(month: number): number {
  return month === 2 ? 29 : [4, 6, 9, 11].includes(month) ? 30 : 31;
}
