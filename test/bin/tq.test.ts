import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { projectFolder } from '../support/project-folder.ts';
import { withTempDir } from '../support/temp-dir.ts';

/** A copy of the launcher in a package of its own, with a main module (which exports `main`) or with none. */
async function installLauncher(folder: string, main?: string): Promise<string> {
  await cp(join(projectFolder, 'bin'), join(folder, 'bin'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  if (main !== undefined) {
    await mkdir(join(folder, 'dist', 'cli'), { recursive: true });
    await writeFile(join(folder, 'dist', 'cli', 'main.js'), main);
  }
  return join(folder, 'bin', 'tq');
}

/** Runs it under this Node, which says that it is another version. */
async function runAs(version: string, launcher: string, args: string[] = []) {
  const preload = join(launcher, '..', 'version.cjs');
  await writeFile(preload, `Object.defineProperty(process.versions, 'node', { value: ${JSON.stringify(version)} });`);
  return execa(process.execPath, ['--require', preload, launcher, ...args], { reject: false });
}

const echo = 'export function main() { console.log("main", process.argv.slice(2).join(" ")); }';

describe('bin/tq', () => {
  test.each(['12.22.12', '18.20.8', '20.20.2', '22.0.0', '22.17.1'])(
    'refuses Node %s and says what is needed and how to get it',
    (version) =>
      withTempDir(async (folder) => {
        const { exitCode, stdout, stderr } = await runAs(version, await installLauncher(folder, echo), ['--help']);
        expect(exitCode).toBe(1);
        expect(stdout).toBe('');
        expect(stderr).toContain(`tq needs Node.js 22.18 or newer, and this is ${version}`);
        expect(stderr).toContain('https://nodejs.org');
        expect(stderr).toContain('nvm install 24');
        expect(stderr).toContain(`npx node@24 ${join(folder, 'bin', 'tq')}`);
      }),
  );

  test.each(['22.18.0', '23.0.0', '24.21.0', '100.0.0'])(
    'hands its arguments to the main module on Node %s',
    (version) =>
      withTempDir(async (folder) => {
        const launcher = await installLauncher(folder, echo);
        const { exitCode, stdout, stderr } = await runAs(version, launcher, ['call', 'a b']);
        expect([stderr, stdout, exitCode]).toEqual(['', 'main call a b', 0]);
      }),
  );

  test('says how to build when there is no build', () =>
    withTempDir(async (folder) => {
      const { exitCode, stdout, stderr } = await runAs('24.0.0', await installLauncher(folder));
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`there is no ${join(folder, 'dist', 'cli', 'main.js')}`);
      expect(stderr).toContain(`Run "npm run build" in ${folder}`);
    }));

  test('runs by its shebang, with the Node of the caller', () =>
    withTempDir(async (folder) => {
      const launcher = await installLauncher(
        folder,
        'export const main = () => process.stdout.write(process.execPath);',
      );
      const path = `${join(process.execPath, '..')}:${process.env['PATH']}`;
      const { stdout } = await execa(launcher, { env: { PATH: path } });
      expect(stdout).toBe(process.execPath);
    }));
});
