import type { Plain } from './plain.ts';

/** One place in which two values differ. */
export interface Difference {
  readonly path: string;
  readonly expected: Plain | undefined;
  readonly got: Plain | undefined;
}

/** All places in which `got` differs from `expected`; a value that is on one side only is undefined on the other. */
export function listDifferences(expected: Plain | undefined, got: Plain | undefined, path = ''): Difference[] {
  if (Object.is(expected, got)) return [];
  if (!isBranch(expected) || !isBranch(got) || Array.isArray(expected) !== Array.isArray(got)) {
    return [{ path, expected, got }];
  }
  // Two lists of other length or order are easier to read whole.
  if (Array.isArray(expected) && expected.every((item) => !isBranch(item)) && Array.isArray(got)) {
    return JSON.stringify(expected) === JSON.stringify(got) ? [] : [{ path, expected, got }];
  }
  const [one, other] = [expected as Record<string, Plain>, got as Record<string, Plain>];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => listDifferences(one[key], other[key], path === '' ? key : `${path}.${key}`));
}

function isBranch(value: Plain | undefined): value is readonly Plain[] | { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null;
}

/** The differences as lines for people; long values are cut. */
export function formatDifferences(differences: readonly Difference[], expectedName: string, gotName: string): string {
  const width = Math.max(expectedName.length, gotName.length);
  const shown = differences.slice(0, 20).map(({ path, expected, got }) => {
    return `  ${path}\n    ${expectedName.padEnd(width)}  ${format(expected)}\n    ${gotName.padEnd(width)}  ${format(got)}`;
  });
  const rest = differences.length - shown.length;
  return [...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])].join('\n');
}

function format(value: Plain | undefined): string {
  const text = value === undefined ? '(absent)' : JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)} …` : text;
}
