import { isExactNumber, writeExactJson } from './exact-json.ts';

/**
 * Applies a JSON Merge Patch (RFC 7396): objects are merged, null removes a key, anything else replaces. Neither argument is
 * changed.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  // fromEntries defines own properties, so a key called `__proto__` stays a key.
  return Object.fromEntries(merged);
}

export interface Difference {
  /** `args.0.to`; empty for the whole value. */
  readonly path: string;
  /** JSON; undefined where there is nothing. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Where two JSON values differ, in the order of their keys. Arrays of different lengths differ as a whole. */
export function listDifferences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => listDifferences(get(before, key), get(after, key), join(path, key)));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((value, index) => listDifferences(value, after[index], join(path, String(index))));
  }
  const [old, next] = [write(before), write(after)];
  return old === next ? [] : [{ path, before: old, after: next }];
}

function get(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function write(value: unknown): string | undefined {
  return value === undefined ? undefined : writeExactJson(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}
