import { distance } from 'fastest-levenshtein';

/**
 * The names that a misspelt one was probably meant to be, best first.
 *
 * @returns at most three names whose edit distance is at most a third of the length (at least 2), or that start with the given text
 */
export function nearestNames(given: string, known: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(given.length / 3));
  const wanted = given.toLowerCase();
  return [...new Set(known)]
    .map((name) => ({ name, cost: name.toLowerCase().startsWith(wanted) ? 0 : distance(wanted, name.toLowerCase()) }))
    .filter(({ cost }) => cost <= limit)
    .sort((a, b) => a.cost - b.cost || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}
