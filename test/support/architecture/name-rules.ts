const emptyWords = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'type',
  'types',
  'common',
  'manager',
  'managers',
  'misc',
]);
const publicEntries = new Set(['.', './sqlite', './testing']);

/** Files and folders that are not in kebab-case, or whose name says nothing about what is in them. */
export function findBadNames(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const parts = path.replace(/\.tsx?$/, '').split('/');
    const odd = parts.filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part));
    if (odd.length > 0) return [`${path}: "${odd.join('", "')}" is not kebab-case`];
    const empty = parts.flatMap((part) => part.split('-')).filter((word) => emptyWords.has(word));
    return empty.map((word) => `${path}: "${word}" does not say what is in it; name the thing of the domain`);
  });
}

/** Entries of `package.json` `exports` that are not part of the public face. */
export function findPrivateExports(exports: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(exports)
    .filter((entry) => !publicEntries.has(entry))
    .map((entry) => `package.json exports "${entry}"; public are ${[...publicEntries].join(', ')}`);
}
