import { formatGiven } from '../given.ts';
import { nearestNames } from '../nearest.ts';
import type { NthWeekday } from './cron-fields.ts';
import type { ScheduleFault } from './schedule-fault.ts';

/** One of the fields of a cron time. */
export interface FieldKind {
  /** How an error and the object form call it. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of its values, the first for `min`. */
  readonly names: readonly string[];
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

export const FIELDS = {
  second: { name: 'second', min: 0, max: 59, names: [] },
  minute: { name: 'minute', min: 0, max: 59, names: [] },
  hour: { name: 'hour', min: 0, max: 23, names: [] },
  dayOfMonth: { name: 'dayOfMonth', min: 1, max: 31, names: [] },
  monthOfYear: { name: 'monthOfYear', min: 1, max: 12, names: MONTHS },
  dayOfWeek: { name: 'dayOfWeek', min: 0, max: 6, names: WEEKDAYS },
} as const satisfies Record<string, FieldKind>;

/** A field, read: its numbers, and what only days have. */
export interface FieldValues {
  readonly numbers: readonly number[];
  /** `L` in the day of the month. */
  readonly isLastDayIncluded: boolean;
  /** `mon#2`, `friL` in the day of the week. */
  readonly nthWeekdays: readonly NthWeekday[];
}

/** `cron` knows `L`, `#`, `?` and 7 for Sunday; `crontab` is Celery's, which refuses them. */
export type Dialect = 'cron' | 'crontab';

/**
 * Reads one field: a list of `*`, values, ranges and steps. A range may go past the end (`fri-mon`, `22-2`), a step counts on through it;
 * `5/15` begins at 5. Names are those of months and weekdays, whole or their first three letters.
 *
 * @throws what `fault` makes, for a value out of range, an unknown name, a step that is no step
 */
export function parseField(kind: FieldKind, text: string, dialect: Dialect, fault: ScheduleFault): FieldValues {
  const numbers = new Set<number>();
  const nthWeekdays: NthWeekday[] = [];
  let isLastDayIncluded = false;
  const reader = new FieldReader(kind, dialect, fault);
  for (const item of text.toLowerCase().split(',')) {
    const nth = dialect === 'cron' && kind.name === 'dayOfWeek' ? /^([^#/]+?)(?:l|#(.*))$/.exec(item) : null;
    if (dialect === 'cron' && kind.name === 'dayOfMonth' && item === 'l') isLastDayIncluded = true;
    else if (nth?.[1] !== undefined) nthWeekdays.push({ weekday: reader.value(nth[1]) % 7, nth: reader.nth(nth[2]) });
    else for (const value of reader.item(item)) numbers.add(value);
  }
  return { numbers: [...numbers].sort((a, b) => a - b), isLastDayIncluded, nthWeekdays };
}

class FieldReader {
  readonly #kind: FieldKind;
  readonly #fault: ScheduleFault;
  readonly #max: number;
  readonly #hasQuestionMark: boolean;

  constructor(kind: FieldKind, dialect: Dialect, fault: ScheduleFault) {
    const isDay = kind.name === 'dayOfWeek' || kind.name === 'dayOfMonth';
    this.#kind = kind;
    this.#fault = fault;
    this.#max = kind.name === 'dayOfWeek' && dialect === 'cron' ? 7 : kind.max;
    this.#hasQuestionMark = isDay && dialect === 'cron';
  }

  item(item: string): number[] {
    const [base = '', stepText, ...rest] = item.split('/');
    if (rest.length > 0) throw this.#refuse(`${formatGiven(item)} has two steps`);
    const step = stepText === undefined ? undefined : this.#step(stepText);
    const range = this.#range(base, step !== undefined);
    if (step !== undefined && step > range.length && range.length > 1) {
      throw this.#refuse(
        `the step of ${formatGiven(item)} is longer than its range`,
        "write a smaller step; for a span that does not begin anew with each hour or day, write for example every: '90m'",
      );
    }
    const picked = range.filter((_, index) => index % (step ?? 1) === 0);
    return this.#kind.name === 'dayOfWeek' ? picked.map((day) => day % 7) : picked;
  }

  value(text: string): number {
    const { names, min, name } = this.#kind;
    if (/^[a-z]+$/.test(text) && names.length > 0) {
      const index = names.findIndex((full) => full === text || full.slice(0, 3) === text);
      if (index >= 0) return index + min;
      const [near] = nearestNames(text, names);
      throw this.#refuse(
        `${formatGiven(text)} is no name of a value${near === undefined ? '' : `, did you mean "${near}"?`}`,
      );
    }
    if (/^\d{1,4}$/.test(text)) {
      const value = Number(text);
      if (value >= min && value <= this.#max) return value;
      throw this.#refuse(`${value} is not between ${min} and ${this.#max}`);
    }
    throw this.#refuse(
      text === '' ? 'a value is missing' : `${formatGiven(text)} is not understood`,
      this.#hint(text, name),
    );
  }

  /** @param text what follows `#`; undefined for `L` */
  nth(text: string | undefined): number {
    if (text === undefined) return 0;
    if (/^[1-5]$/.test(text)) return Number(text);
    throw this.#refuse(`#${text} is not one of #1 to #5`);
  }

  #range(base: string, hasStep: boolean): number[] {
    const { min, max } = this.#kind;
    if (base === '*' || (base === '?' && this.#hasQuestionMark)) return numbersFrom(min, max);
    const [fromText = '', toText, ...rest] = base.split('-');
    if (rest.length > 0) throw this.#refuse(`${formatGiven(base)} is no range`);
    const from = this.value(fromText);
    if (toText === undefined) return hasStep ? numbersFrom(from, max) : [from];
    const to = this.value(toText);
    if (from <= to) return numbersFrom(from, to);
    // Past the end and on from the beginning; 7 and 0 are the same Sunday, which is not counted twice.
    return [...numbersFrom(from, max), ...numbersFrom(from === 7 ? 0 : min, to)];
  }

  #step(text: string): number {
    if (/^\d{1,4}$/.test(text) && Number(text) > 0) return Number(text);
    throw this.#refuse(`/${text} is no step`, 'write a whole number from 1 after the slash');
  }

  #hint(text: string, name: string): string | undefined {
    if (/w$/.test(text)) return 'W (nearest weekday) is not supported; use a list of days';
    if (/[l#?]/.test(text)) return `L, # and ? are for the days of a text such as "0 3 L * *", not for ${name} here`;
    return undefined;
  }

  #refuse(problem: string, remedy?: string) {
    return this.#fault(this.#kind.name, problem, remedy);
  }
}

function numbersFrom(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
