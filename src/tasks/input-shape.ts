import * as v from 'valibot';

/** An object with these keys and no others, whose faults read as sentences after the path of the key. */
export function shape<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, describeFault);
}

function describeFault(issue: v.StrictObjectIssue): string {
  if (issue.expected === 'never') return 'is not known here';
  if (issue.expected === 'Object') return `must be an object, got ${issue.received}`;
  return 'is missing';
}

/** A text of 1 to `max` characters. */
export function text(max: number) {
  const message = `must be a text of 1 to ${max} characters`;
  return v.pipe(v.string(message), v.minLength(1, message), v.maxLength(max, message));
}

/** A whole number in a range, both ends included. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

export const flag = v.boolean('must be true or false');
