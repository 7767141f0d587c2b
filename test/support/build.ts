import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from './project-folder.ts';
import { waitFor } from './wait-for.ts';

const stamp = join(projectFolder, 'dist', 'cli', 'main.js');
const lock = join(projectFolder, 'node_modules', '.tq-build');
let built: Promise<void> | undefined;

/**
 * Builds `dist/` when a source is newer than it, once for all test processes: the first takes a lock, the others wait.
 * It is done when a test first runs `tq`, so that tests of the engine alone do not pay for it.
 *
 * @throws Error with the compiler's words when it wrote nothing
 */
export function ensureBuilt(): Promise<void> {
  built ??= buildIfStale();
  return built;
}

async function buildIfStale(): Promise<void> {
  if (!isStale()) return;
  await waitFor('another process to finish building dist/', takeLock, { timeoutMs: 60_000, everyMs: 50 });
  try {
    if (isStale()) await build();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/**
 * A type error does not stop the tests: the compiler writes its files all the same, and `npm run types` is what fails on
 * it. So a test run shows what the code does also while another part of it is being changed.
 */
async function build(): Promise<void> {
  try {
    // npm puts the project's own Node first, whatever Node runs these tests.
    await promisify(execFile)('npm', ['run', 'build', '--silent'], { cwd: projectFolder });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    if (isStale()) throw new Error(`npm run build wrote no ${stamp}:\n${stdout}${stderr}`, { cause: error });
    process.stderr.write(`dist/ was built with errors:\n${stdout}`);
  }
}

function isStale(): boolean {
  try {
    return newestSource() > statSync(stamp).mtimeMs;
  } catch {
    return true;
  }
}

function newestSource(): number {
  const sources = readdirSync(join(projectFolder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const configuration = ['package.json', 'tsconfig.json'].map((name) => join(projectFolder, name));
  return Math.max(...[...sources, ...configuration].map((file) => statSync(file).mtimeMs));
}

/** A folder is made by one process only; a lock whose owner is dead is taken away. */
function takeLock(): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch {
    if (!ownerIsAlive()) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function ownerIsAlive(): boolean {
  try {
    const owner = Number(readFileSync(join(lock, 'pid'), 'utf8'));
    return owner === 0 || process.kill(owner, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && isYoung();
  }
}

/** Between making the folder and naming the owner there is a moment without a name. */
function isYoung(): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs < 5_000;
  } catch {
    return false;
  }
}
