/**
 * JSON that is read and written again as it was: a number that JavaScript would change, `12345678901234567890` or `1.0`, stays the
 * text that it is. Such a number is read as an opaque value that only `writeExactJson` understands.
 *
 * Rests on `context.source` of a reviver and on `JSON.rawJSON` (ECMAScript's "JSON.parse source text access"), which Node has since
 * version 22.
 */
interface SourceAwareJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
}

const json = JSON as unknown as SourceAwareJson;

/** @throws SyntaxError for what is no JSON */
export function readExactJson(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  );
}

/** @param value as `readExactJson` gives it, or any other value that JSON can carry */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value);
}

/** Whether it is a number that JavaScript would change. */
export function isExactNumber(value: unknown): boolean {
  return json.isRawJSON(value);
}
