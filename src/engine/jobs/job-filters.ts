import type { JobFilter, NumberField, TextField } from '../broker/job-filter.ts';
import { parseDuration } from '../core/duration.ts';
import type { TermToken } from '../core/query/query-lexer.ts';
import { type Combining, type Narrowing, NOTHING } from '../core/query/query-narrowing.ts';

export const COMBINED: Combining<JobFilter> = {
  all: (filters) => ({ kind: 'all', filters }),
  any: (filters) => ({ kind: 'any', filters }),
  not: (filter) => ({ kind: 'not', filter }),
};

const TEXTS: Readonly<Record<string, TextField>> = { id: 'id', task: 'task', worker: 'worker' };
const INSTANTS: Readonly<Record<string, NumberField>> = { age: 'createdAt', finished: 'finishedAt' };

/**
 * What a store can look for of a term that has been checked.
 *
 * @param now epoch ms, for ages
 */
export function narrowTerm(term: TermToken, now: number): Narrowing<JobFilter> {
  const { field, operator, value, quoted } = term;
  // Presence is nothing that a filter has a word for, and hardly narrows.
  if (value === '*' && !quoted && operator !== '~') return NOTHING;
  // No statement of SQL can hold it.
  if (value.includes('\0')) return NOTHING;
  const text = TEXTS[field];
  if (text !== undefined) return narrowText(term, text);
  if (field === 'error' && operator === '~') return narrowError(value);
  if (field === 'attempts') return narrowAttempts(term);
  const instant = INSTANTS[field];
  return instant === undefined ? NOTHING : narrowInstant(term, instant, now);
}

function narrowText({ operator, value, quoted }: TermToken, field: TextField): Narrowing<JobFilter> {
  if (operator === '~') return isAscii(value) ? loose({ kind: 'contains', field, text: value }) : NOTHING;
  // What one character is, a database sees in another way than JavaScript.
  if (!quoted && value.includes('?')) return NOTHING;
  const kind = !quoted && value.includes('*') ? 'like' : 'is';
  return { filter: { kind, field, text: value }, isExact: true };
}

/** With what the text of an error can begin that stands in no store: a store holds the message, and the name in the stack. */
const UNSTORED_NAMES = ['error', 'workerlost'];

/**
 * The text of an error is `Name: message`. A part that may reach over both, or is in a name that is not stored, cannot be looked for.
 */
function narrowError(text: string): Narrowing<JobFilter> {
  const isWithin = !/[: ]/.test(text) && !UNSTORED_NAMES.some((name) => name.includes(text.toLowerCase()));
  return isAscii(text) && isWithin ? loose({ kind: 'contains', field: 'error', text }) : NOTHING;
}

/** The attempt that runs is counted by tq and not by the store. */
function narrowAttempts({ operator, value }: TermToken): Narrowing<JobFilter> {
  const wanted = Number(value);
  const compare = (symbol: '>' | '>=' | '<' | '<=', number: number): JobFilter => ({
    ...{ kind: 'compare', field: 'attemptsMade' },
    ...{ operator: symbol, value: number },
  });
  switch (operator) {
    case '>':
    case '>=':
      return loose(compare(operator, wanted - 1));
    case '<':
    case '<=':
      return loose(compare(operator, wanted));
    default:
      return loose({ kind: 'all', filters: [compare('>=', wanted - 1), compare('<=', wanted)] });
  }
}

function narrowInstant({ field, operator, value }: TermToken, column: NumberField, now: number): Narrowing<JobFilter> {
  const symbol = operator === ':' || operator === '~' ? '=' : operator;
  // The older, the earlier it was.
  const turned = ({ '>': '<', '>=': '<=', '<': '>', '<=': '>=', '=': '=' } as const)[symbol];
  const instant = now - parseDuration(value, field);
  return { filter: { kind: 'compare', field: column, operator: turned, value: instant }, isExact: true };
}

function loose(filter: JobFilter): Narrowing<JobFilter> {
  return { filter, isExact: false };
}

/** Databases fold the case of letters beyond A to Z in ways of their own, so such a text is not looked for by them. */
function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
