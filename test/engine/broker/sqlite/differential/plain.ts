import { Job } from 'bullmq';

/** A value that two sides can be compared by: JSON, with marks for what JSON cannot hold. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Texts of one side and what both sides call it: the full names of its queues. */
export type Names = readonly (readonly [text: string, name: string])[];

/**
 * What may be compared of a value. Keys of objects are sorted, and one that holds undefined counts as absent. The full names
 * of the queues are replaced, because the two sides of a run may use different key prefixes; nothing else is.
 */
export function toPlain(value: unknown, names: Names): Plain {
  if (value === undefined) return '(undefined)';
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : `(${value})`;
  if (typeof value === 'string') return names.reduce((text, [own, name]) => text.replaceAll(own, name), value);
  if (Array.isArray(value)) return value.map((item) => toPlain(item, names));
  if (value instanceof Job) return toPlain(value.toJSON(), names);
  if (value instanceof Error) return errorToPlain(value, names);
  if (typeof value !== 'object') return `(${typeof value})`;
  const plain: Record<string, Plain> = {};
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    // `toKey` is a function that a job carries in its JSON.
    if (item !== undefined && typeof item !== 'function') plain[String(toPlain(key, names))] = toPlain(item, names);
  }
  return plain;
}

function errorToPlain(error: Error, names: Names): Plain {
  const { code } = error as Error & { code?: unknown };
  const plain = { thrown: error.constructor.name, message: toPlain(error.message, names) };
  return code === undefined ? plain : { ...plain, code: toPlain(code, names) };
}

/** For what has no order in the reference, the members of a Redis set or hash: what may be compared of each, sorted. */
export function unordered(values: readonly unknown[], names: Names): Plain[] {
  const sorted = values.map((value) => JSON.stringify(toPlain(value, names))).sort();
  return sorted.map((text) => JSON.parse(text) as Plain);
}
