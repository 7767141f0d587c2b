import { describe, expect, test } from 'vitest';
import { APP, createFolder } from './folder.ts';
import { callInPlainNode } from './plain-node.ts';

const MODULE = new URL('../../../src/engine/config/load-app.ts', import.meta.url);

async function load(files: Record<string, string>, file: string): Promise<Record<string, unknown>> {
  return callInPlainNode(MODULE, 'loadAppModule', file, await createFolder(files));
}

const named = (name: string): string => APP.replace("'app'", `'${name}'`);

describe('an app module', () => {
  test.each([
    ['the default export', { 'app.ts': `export default ${named('first')}; export const app = ${named('second')};` }],
    [
      'the export `app` when default is no app',
      { 'app.ts': `export default 5; export const app = ${named('first')};` },
    ],
    ['the only other export that is one', { 'app.ts': `export const x = 1; export const jobs = ${named('first')};` }],
    ['one app under two names', { 'app.ts': `const a = ${named('first')}; export { a, a as b };` }],
    [
      'TypeScript with types',
      { 'app.ts': `type T = number; const n: T = 1; export const app = ${named('first')} as object;` },
    ],
    [
      'what it imports beside it',
      { 'app.ts': `import { a } from './a.ts'; export default a;`, 'a.ts': `export const a = ${named('first')};` },
    ],
  ])('gives %s', async (_, files) => {
    expect(await load(files as Record<string, string>, 'app.ts')).toMatchObject({ name: 'first' });
  });

  test('may be CommonJS, with the app inside its exports', async () => {
    const text = `Object.assign(module.exports, { helper: 1, app: ${named('first')} });`;
    expect(await load({ 'app.cjs': text }, './app.cjs')).toMatchObject({ name: 'first' });
  });
});

describe('an app module that cannot be used', () => {
  test('names the file that is missing and one with another extension', async () => {
    const error = await load({ 'src/tasks.ts': '' }, 'src/tasks.js');
    expect(error).toMatchObject({ code: 'APP_NOT_FOUND', exitCode: 2 });
    expect(error.message).toBe('cannot load the app: there is no file src/tasks.js; did you mean "src/tasks.ts"?');
  });

  test('suggests the module of a path without extension', async () => {
    expect((await load({ 'app.mjs': '' }, 'app')).message).toContain('did you mean "app.mjs"?');
  });

  test('suggests nothing when nothing is near', async () => {
    expect((await load({}, 'no/where.ts')).message).toBe('cannot load the app: there is no file no/where.ts');
  });

  test('says that a folder is a folder, and suggests the module in it', async () => {
    const error = await load({ 'src/app.ts': '', 'src/other.ts': '' }, 'src');
    expect(error.code).toBe('APP_NOT_FOUND');
    expect(error.message).toBe('cannot load the app: src is a folder; did you mean "src/app.ts"?');
  });

  test('tells what it threw, keeps it as the cause and masks the password of a URL in it', async () => {
    const thrown = `throw new Error('no answer from redis://:hunter2@db:6379')`;
    const error = await load({ 'app.ts': thrown }, 'app.ts');
    expect(error).toMatchObject({ code: 'APP_FAILED', exitCode: 1 });
    expect(error.message).toBe(
      'cannot load the app: app.ts threw while it was imported: no answer from redis://***@db:6379',
    );
    expect(error.cause).toContain('no answer');
  });

  test('survives a thrown value that is no error', async () => {
    expect((await load({ 'app.mjs': `throw 'just text'` }, 'app.mjs')).message).toMatch(/imported: just text$/);
  });

  test('says that enum is TypeScript that Node does not run, where it stands and what to do', async () => {
    const files = { 'app.ts': `import './colors.ts';`, 'colors.ts': `\nexport enum Color { Red }` };
    const error = await load(files, 'app.ts');
    expect(error.code).toBe('APP_FAILED');
    expect(error.message).toMatch(/unsupported TypeScript syntax in .*colors\.ts:2: TypeScript enum is not supported/);
    expect(error.next).toContain('without enum, namespace and parameter properties');
  });

  test.each([
    ['TypeScript', 'app.ts', /syntax error in .*app\.ts:1: /],
    ['JavaScript', 'app.js', /syntax error: /],
  ])('says that %s has a syntax error', async (_, file, message) => {
    const error = await load({ [file]: 'export const app = ;' }, file);
    expect(error.code).toBe('APP_FAILED');
    expect(error.message).toMatch(message);
  });

  test('names a package that is not installed, and how to install it', async () => {
    const error = await load({ 'app.ts': `import 'no-such-package-here';` }, 'app.ts');
    expect(error.code).toBe('APP_FAILED');
    expect(error.message).toContain("Cannot find package 'no-such-package-here'");
    expect(error.next).toBe('install it: npm install no-such-package-here');
  });

  test('gives the name of the package alone when an import goes into it', async () => {
    const error = await load({ 'app.ts': `import '@no-such-scope/package/deep/file.js';` }, 'app.ts');
    expect(error.next).toBe('install it: npm install @no-such-scope/package');
  });

  test('reminds of the extension when an import of its own is missing', async () => {
    const error = await load({ 'app.ts': `import './tasks';`, 'tasks.ts': '' }, 'app.ts');
    expect(error.message).toContain('Cannot find module');
    expect(error.next).toContain('Node wants the extension');
  });

  test('lists what it exports when none is an app', async () => {
    const error = await load({ 'app.ts': 'export const tasks = 1; export default class {}' }, 'app.ts');
    expect(error).toMatchObject({ code: 'APP_NOT_EXPORTED', exitCode: 2 });
    expect(error.message).toBe('cannot load the app: app.ts exports default, tasks, but no app');
  });

  test('says so when it exports nothing', async () => {
    const error = await load({ 'app.ts': 'export {};' }, 'app.ts');
    expect(error.message).toBe('cannot load the app: app.ts exports nothing');
  });

  test('does not choose between two apps', async () => {
    const error = await load({ 'app.ts': `export const a = ${APP}; export const b = ${APP};` }, 'app.ts');
    expect(error.code).toBe('APP_NOT_EXPORTED');
    expect(error.message).toBe('cannot load the app: app.ts exports several apps: a, b');
  });
});
