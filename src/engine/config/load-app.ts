import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isApp } from '../core/brand.ts';
import { createError } from '../core/errors.ts';
import { describeImportFailure } from './import-failure.ts';

/**
 * Imports the module of an app and gives its app: the default export, else the export `app`, else the only other export
 * that is one. TypeScript is run by Node itself, which strips the types; nothing is transpiled.
 *
 * @param file path of the module, relative to `cwd`
 * @throws APP_NOT_FOUND, APP_FAILED (with what was thrown as its cause), APP_NOT_EXPORTED
 */
export async function loadAppModule(file: string, cwd: string): Promise<unknown> {
  const path = resolve(cwd, file);
  await assertFile(path, { file, cwd });
  const exported = await importModule(path, file);
  const app = chooseApp(exported);
  if (app === undefined) throw notExported(file, exported);
  return app;
}

type Exports = Readonly<Record<string, unknown>>;

async function importModule(path: string, file: string): Promise<Exports> {
  try {
    return readExports(await import(pathToFileURL(path).href));
  } catch (error) {
    throw createError('APP_FAILED', { file, ...describeImportFailure(error) }, error);
  }
}

/** A CommonJS module may have set its exports one by one, so that Node finds them only inside the default export. */
function readExports(namespace: Exports): Exports {
  const { 'module.exports': _commonJs, ...exported } = namespace;
  const inner = exported.default;
  const holdsApp = typeof inner === 'object' && inner !== null && !isApp(inner) && Object.values(inner).some(isApp);
  return holdsApp ? { ...exported, default: undefined, ...inner } : exported;
}

/** The app among the exports, undefined when there is none or when several have an equal claim. */
function chooseApp(exported: Exports): unknown {
  const preferred = [exported.default, exported.app].find(isApp);
  if (preferred !== undefined) return preferred;
  const apps = listApps(exported);
  return apps.length === 1 ? apps[0]?.[1] : undefined;
}

function listApps(exported: Exports): [name: string, app: unknown][] {
  const seen = new Set<unknown>();
  return Object.entries(exported).filter(([, value]) => isApp(value) && !seen.has(value) && seen.add(value));
}

function notExported(file: string, exported: Exports): Error {
  const names = Object.keys(exported).sort();
  const apps = listApps(exported).map(([name]) => name);
  return createError('APP_NOT_EXPORTED', { file, exported: names, ...(apps.length > 1 && { apps }) });
}

async function assertFile(path: string, { file, cwd }: { file: string; cwd: string }): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return;
  const folder = found?.isDirectory() ?? false;
  const near = folder ? await listModules(path, ENTRY_NAMES) : await listModules(dirname(path), [nameOf(path)]);
  throw createError('APP_NOT_FOUND', { file, folder, near: near.map((module) => relative(cwd, module)) });
}

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs'];
const ENTRY_NAMES = ['app', 'index', 'main', 'tasks'];

/** Modules in the folder with one of these names, whatever their extension. */
async function listModules(folder: string, names: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder).catch(() => []);
  return entries
    .filter((entry) => EXTENSIONS.includes(extname(entry)) && names.includes(nameOf(entry)))
    .map((entry) => join(folder, entry));
}

function nameOf(path: string): string {
  const name = basename(path);
  return EXTENSIONS.includes(extname(name)) ? name.slice(0, -extname(name).length) : name;
}
