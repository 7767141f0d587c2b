import type { SourceFile } from './source-file.ts';

interface Home {
  readonly packages: RegExp;
  readonly where: RegExp;
  readonly said: string;
}

/** Packages that one part of the house owns, so that the rest cannot come to depend on them. */
const homes: readonly Home[] = [
  {
    packages: /^(bullmq|ioredis|kysely|pg|node:sqlite)(\/|$)/,
    where: /^src\/engine\/broker\//,
    said: 'src/engine/broker/',
  },
  { packages: /^commander(\/|$)/, where: /^src\/cli\//, said: 'src/cli/' },
  { packages: /^(ink|react)(\/|$)/, where: /^src\/ui\//, said: 'src/ui/' },
  {
    packages: /^(node:)?https?2?$/,
    where: /^src\/(web\/|cli\/health-port\.ts$)/,
    said: "src/web/ and the worker's health port",
  },
];

const barrels = new Set(['src/index.ts', 'src/testing.ts']);

/** Imports of a package outside the folder that owns it. */
export function findStrayPackages(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, line }) =>
      homes
        .filter(({ packages, where }) => packages.test(specifier) && !where.test(path))
        .map(({ said }) => `${path}:${line} imports ${specifier}, which belongs to ${said} alone`),
    ),
  );
}

/** `export *`, and files that only pass on what others export. */
export function findBarrels(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !barrels.has(path))
    .flatMap(({ path, program }) => {
      const star = program.body.some(({ type }) => type === 'ExportAllDeclaration');
      if (star) return [`${path} has "export *": name what it exports`];
      return isPassingOn(program.body) ? [`${path} only passes on what others export: import from them`] : [];
    });
}

/** Relative imports that do not name the file as it is called. */
export function findImportsWithoutExtension(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => specifier.startsWith('.') && !/\.tsx?$/.test(specifier))
      .map(({ specifier, line }) => `${path}:${line} imports ${specifier}, which does not end in .ts`),
  );
}

function isPassingOn(body: SourceFile['program']['body']): boolean {
  const exports = body.filter(({ type }) => type === 'ExportNamedDeclaration');
  return exports.length > 0 && body.every((statement) => isImport(statement) || isListOfNames(statement));
}

function isImport({ type }: SourceFile['program']['body'][number]): boolean {
  return type === 'ImportDeclaration';
}

function isListOfNames(statement: SourceFile['program']['body'][number]): boolean {
  return statement.type === 'ExportNamedDeclaration' && statement.declaration === null;
}
