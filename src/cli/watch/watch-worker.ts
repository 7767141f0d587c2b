import { dirname, relative } from 'node:path';
import { inheritEnvironment } from '../../engine/config/environment.ts';
import type { CommandContext } from '../command.ts';
import { watchSources } from './source-watch.ts';
import { supervise } from './supervisor.ts';

/**
 * Runs this very command without `--watch` in a child process, and again whenever a source file changes in the working
 * directory or beside the app.
 *
 * @returns the exit code of the last worker
 */
export function watchWorker({ settings, host, output }: CommandContext): Promise<number> {
  const roots = [host.cwd, ...(settings.app === undefined ? [] : [dirname(settings.app)])];
  const note = (text: string): void => output.note(`watch: ${text}`);
  return supervise({
    file: process.execPath,
    args: [...listFlags(), ...process.argv.slice(1).filter((argument) => argument !== '--watch')],
    // It may also have been asked for by the environment or by the config file.
    env: inheritEnvironment({ TQ_WATCH: 'false' }),
    watch: (onChange) => {
      const { close } = watchSources(roots, {
        onChange: (path) => onChange(relative(host.cwd, path)),
        onLimit: (reason) => note(`not all folders are watched: ${reason}`),
      });
      return close;
    },
    note,
  });
}

/** A second debugger on the same port would not open. */
function listFlags(): string[] {
  return process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
}
