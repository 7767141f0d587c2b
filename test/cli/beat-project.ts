import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type RunningTq, startTq } from '../support/tq-command.ts';

/** A folder with an app of the built package, and the processes that a test starts in it. */
export interface BeatProject {
  readonly cwd: string;
  /** Replaces the app. */
  write(body: string): Promise<void>;
  start(...args: readonly string[]): Promise<RunningTq>;
  /** Kills what still runs. */
  close(): Promise<void>;
}

/** @param body what follows `export const app = createApp(…)`; the app says nothing about its broker when `url` is undefined */
export async function createBeatProject(url: string | undefined, body: string): Promise<BeatProject> {
  const cwd = createFolderOfRun('beat');
  const index = JSON.stringify(pathToFileURL(join(projectFolder, 'dist/index.js')).href);
  const broker = url === undefined ? '' : `broker: ${JSON.stringify(url)}`;
  const write = (text: string): Promise<void> =>
    writeFile(
      join(cwd, 'app.mjs'),
      `import { createApp, context } from ${index};\nexport const app = createApp({ ${broker} });\n${text}\n`,
    );
  await write(body);
  const running: RunningTq[] = [];
  return {
    cwd,
    write,
    async start(...args) {
      const process = await startTq([...args, '-A', 'app.mjs'], { cwd });
      running.push(process);
      return process;
    },
    async close() {
      for (const process of running) {
        process.signal('SIGKILL');
        await process.exit;
      }
    },
  };
}

/** The lines of a log that say this, as objects. */
export function listLines(log: string, message: RegExp): Record<string, unknown>[] {
  const lines = log
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line)).filter((line) => message.test(line.message));
}
