/** Longer than this, a value says nothing more in an error. */
const MAX_LENGTH = 200;

/** How an error repeats the value it was given. Any value: also those that JSON cannot write, or would write as null. */
export function formatGiven(value: unknown): string {
  const text = typeof value === 'object' || typeof value === 'string' ? writeJson(value) : String(value);
  const shown = typeof value === 'bigint' ? `${text}n` : text;
  return shown.length <= MAX_LENGTH ? shown : `${shown.slice(0, MAX_LENGTH)}…`;
}

function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return 'a value that cannot be shown';
  }
}
