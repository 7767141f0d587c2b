import { lineOf, type Node, type SourceFile, walk } from './source-file.ts';

/** Reads of the environment outside the configuration. */
export function findEnvironmentReads(files: readonly SourceFile[]): string[] {
  return findIn(files, /^src\/engine\/config\//, (node) =>
    touchesProcess(node, ['env']) ? 'reads process.env: take it from the configuration' : undefined,
  );
}

/** Exits and exit codes outside the two places that pick them: the CLI's, and the entry file of a worker's child. */
export function findExits(files: readonly SourceFile[]): string[] {
  return findIn(files, /^src\/(cli\/main|engine\/worker\/prefork\/child-main)\.ts$/, (node) =>
    touchesProcess(node, ['exit', 'exitCode', 'abort', 'reallyExit'])
      ? 'ends the process: throw, and let src/cli/main.ts pick the exit code'
      : undefined,
  );
}

/** Any use of the console. */
export function findConsole(files: readonly SourceFile[]): string[] {
  return findIn(files, undefined, (node, parent) =>
    isNamed(node, 'console') && !isKeyOf(node, parent) ? 'uses console: log or print through what is given' : undefined,
  );
}

/** Engine code that asks the machine for the time. */
export function findUninjectedTime(files: readonly SourceFile[]): string[] {
  const engine = files.filter(({ path }) => path.startsWith('src/engine/'));
  return findIn(engine, /^src\/engine\/runtime\//, (node) =>
    asksForTime(node) ? 'asks the machine for the time: use the Clock that is given' : undefined,
  );
}

/** The module form of `process`, which the rules above could not follow. */
export function findProcessImports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => /^(node:)?process$/.test(specifier))
      .map(({ specifier, line }) => `${path}:${line} imports ${specifier}: use the global process`),
  );
}

type Check = (node: Node, parent: Node | undefined) => string | undefined;

function findIn(files: readonly SourceFile[], except: RegExp | undefined, check: Check): string[] {
  return files
    .filter(({ path }) => !except?.test(path))
    .flatMap(({ path, text, program }) => {
      const faults: string[] = [];
      walk(program, (node, parent) => {
        const fault = check(node, parent);
        if (fault) faults.push(`${path}:${lineOf(text, node.start)} ${fault}`);
      });
      return faults;
    });
}

/** `process.env`, `process['env']`, `globalThis.process.env` and `const { env } = process`. */
function touchesProcess(node: Node, names: readonly string[]): boolean {
  if (node.type === 'MemberExpression') return isProcess(node['object']) && names.includes(propertyOf(node) ?? '');
  if (node.type !== 'VariableDeclarator' || !isProcess(node['init'])) return false;
  const pattern = node['id'] as Node;
  const properties = pattern.type === 'ObjectPattern' ? (pattern['properties'] as Node[]) : [];
  return properties.some(({ key }) => names.some((name) => isNamed(key as Node | undefined, name)));
}

function asksForTime(node: Node): boolean {
  if (node.type === 'MemberExpression') {
    const property = propertyOf(node);
    const object = node['object'] as Node;
    if (isProcess(object)) return property === 'hrtime' || property === 'uptime';
    return property === 'now' && (isNamed(object, 'Date') || isNamed(object, 'performance'));
  }
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return false;
  return isNamed(node['callee'] as Node, 'Date') && (node['arguments'] as unknown[]).length === 0;
}

function isProcess(value: unknown): boolean {
  const node = value as Node | null | undefined;
  if (!node) return false;
  return isNamed(node, 'process') || (node.type === 'MemberExpression' && propertyOf(node) === 'process');
}

function propertyOf(member: Node): string | undefined {
  const property = member['property'] as Node;
  if (member['computed']) return property.type === 'Literal' ? String(property['value']) : undefined;
  return String(property['name']);
}

function isNamed(node: Node | undefined, name: string): boolean {
  return node?.type === 'Identifier' && node['name'] === name;
}

function isKeyOf(node: Node, parent: Node | undefined): boolean {
  return parent !== undefined && !parent['computed'] && (parent['property'] === node || parent['key'] === node);
}
