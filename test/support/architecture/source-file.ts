import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseResult, parseSync } from 'oxc-parser';
import { projectFolder } from '../project-folder.ts';

/** A file of `src/`, read and parsed. `path` begins with `src/` and has forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly program: ParseResult['program'];
}

export interface Import {
  /** As written: `./queue.ts`, `bullmq`, `node:fs`. */
  readonly specifier: string;
  /** By `import()`, so that the module loads only when it is used. */
  readonly dynamic: boolean;
  readonly line: number;
}

/** Every TypeScript file below `src/`, in order of its path. */
export function listSourceFiles(): SourceFile[] {
  return readdirSync(join(projectFolder, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('src', name).replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(projectFolder, path), 'utf8')));
}

/** @throws Error when the text is no TypeScript: a file that cannot be read must not pass for one without faults */
export function parseSource(path: string, text: string): SourceFile {
  const { program, module, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new Error(`${path} cannot be parsed: ${error.message}`);
  const read = (start: number, end: number, dynamic: boolean): Import => ({
    specifier: text.slice(start, end).replace(/^['"`]|['"`]$/g, ''),
    dynamic,
    line: lineOf(text, start),
  });
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest ?? [])),
  ];
  const imports = [
    ...requests.map(({ start, end }) => read(start, end, false)),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => read(start, end, true)),
    ...listTypeImports(program).map(({ start, end }) => read(start, end, false)),
  ];
  return { path, text, imports, program };
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Calls `visit` for every node of the syntax tree, parents first. */
export function walk(root: unknown, visit: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  if (Array.isArray(root)) {
    for (const item of root) walk(item, visit, parent);
    return;
  }
  if (!isNode(root)) return;
  visit(root, parent);
  for (const value of Object.values(root)) if (typeof value === 'object' && value !== null) walk(value, visit, root);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** Types of the form `import('bullmq').Job`, which no import statement announces. */
function listTypeImports(program: ParseResult['program']): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  walk(program, (node) => {
    if (node.type === 'TSImportType') found.push(node['source'] as Node);
  });
  return found;
}
