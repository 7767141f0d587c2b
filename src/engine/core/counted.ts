/** Names that a sentence can carry. */
const NAMED = 5;

/**
 * `1 queue`, `3 queues`.
 *
 * @param many default the singular with an s
 */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * The first five: `a, b, c, d, e and 2 more`.
 *
 * @param separator of whole clauses `'; '`, which also stands before the last
 */
export function nameSome(texts: readonly string[], separator: ', ' | '; ' = ', '): string {
  if (texts.length <= NAMED) return texts.join(separator);
  const last = separator === ', ' ? ' ' : separator;
  return `${texts.slice(0, NAMED).join(separator)}${last}and ${texts.length - NAMED} more`;
}
