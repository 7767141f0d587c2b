import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * A shell that outlives the worker by a moment: when the worker is gone without having ended its children, it kills them.
 *
 * A child notices by its pipe that its parent is gone, unless a task blocks its event loop: then it would burn a processor
 * for ever, with nobody left to know of it. The shell waits in `read` and costs a megabyte; where there is none, only that
 * case is not covered.
 */
export interface Guard {
  /** @param pid leads a process group */
  watch(pid: number): void;
  /** The group has ended. Once for each that was watched. */
  forget(pid: number): void;
  close(): void;
}

/** Reads `+ PID` and `- PID`; the end of the input is the end of the worker. Signals to stop are for the worker alone. */
const SCRIPT = `
trap '' HUP INT QUIT TERM
pids=' '
while read -r word pid; do
  case $word in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -s KILL -- "-$pid"; done
`;

export function startGuard(): Guard {
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    argv0: 'tq-guard',
  });
  // No shell, or it was killed: children still end with their pipe.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  // It must not keep this process from ending, whose end it waits for.
  shell.unref();
  (shell.stdin as Socket).unref();
  const tell = (line: string): void => {
    if (shell.stdin.writable) shell.stdin.write(line);
  };
  return {
    watch: (pid) => tell(`+ ${pid}\n`),
    forget: (pid) => tell(`- ${pid}\n`),
    close: () => shell.stdin.end(),
  };
}
