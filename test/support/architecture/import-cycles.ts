import { resolveImport } from './layers.ts';
import type { SourceFile } from './source-file.ts';

/** Groups of files that reach each other by imports of any kind, types and `import()` included; one line a group. */
export function findImportCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(
    files.map((file) => [file.path, file.imports.flatMap((entry) => resolveImport(file.path, entry) ?? [])]),
  );
  const reachable = new Map([...graph.keys()].map((path) => [path, reach(graph, path)]));
  const reported = new Set<string>();
  return [...graph.keys()].flatMap((path) => {
    if (reported.has(path) || !reachable.get(path)?.has(path)) return [];
    const group = [...graph.keys()].filter(
      (other) => reachable.get(path)?.has(other) && reachable.get(other)?.has(path),
    );
    for (const member of group) reported.add(member);
    return [`import each other: ${group.join(', ')}`];
  });
}

/** The files that imports lead to from `start`; `start` itself only when a way leads back. */
function reach(graph: ReadonlyMap<string, readonly string[]>, start: string): Set<string> {
  const found = new Set<string>();
  const open = [...(graph.get(start) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path) || !graph.has(path)) continue;
    found.add(path);
    open.push(...(graph.get(path) ?? []));
  }
  return found;
}
