import { distance } from 'fastest-levenshtein';

/** Beside the edit distances: no slip, but not the begin of the name either. */
const ABBREVIATED = 0.5;

/**
 * The names that a misspelt one was probably meant to be, best first.
 *
 * @returns at most three names whose edit distance is at most a third of the length (at least 2), or that start with the given text; only
 *   those that it abbreviates, as `rm` does `remove`, where there are such
 */
export function nearestNames(given: string, known: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(given.length / 3));
  const wanted = given.toLowerCase();
  return [...new Set(known)]
    .map((name) => ({ name, cost: costOf(wanted, name.toLowerCase()) }))
    .filter(({ cost }) => cost <= limit)
    .filter(({ cost }, _, near) => cost <= ABBREVIATED || near.every((other) => other.cost !== ABBREVIATED))
    .sort((a, b) => a.cost - b.cost || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

function costOf(wanted: string, name: string): number {
  if (name.startsWith(wanted)) return 0;
  return isAbbreviation(wanted, name) ? ABBREVIATED : distance(wanted, name);
}

/** The same first letter, and all others in their order. */
function isAbbreviation(short: string, name: string): boolean {
  if (short.length < 2 || short[0] !== name[0]) return false;
  let at = 0;
  for (const letter of name) if (letter === short[at]) at += 1;
  return at === short.length;
}
