import { delimiter, join } from 'node:path';
import { execa, type ResultPromise } from 'execa';
import { ensureBuilt } from './build.ts';
import { projectFolder } from './project-folder.ts';
import { createFolderOfRun, recordEnded, recordStarted } from './run-folder.ts';
import { waitFor } from './wait-for.ts';

export interface TqOptions {
  /** Working directory; a new, empty folder when absent. */
  readonly cwd?: string;
  /** Added to an environment that holds only PATH, HOME and the locale: no TQ_*, no broker, no NO_COLOR. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which is empty otherwise. */
  readonly input?: string;
  /** Bound in milliseconds, 20 seconds when absent; then the process is killed and the call rejects. */
  readonly timeoutMs?: number;
}

export interface TqResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  /** Parses stdout as one JSON document. @throws Error that shows both outputs when it is none */
  json(): unknown;
}

export interface RunningTq {
  readonly pid: number;
  /** What it wrote so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves with the first line, of either output and also of those already written, that the pattern matches. */
  waitForLine(pattern: RegExp | string, timeoutMs?: number): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, however it ended. */
  readonly exit: Promise<{ exitCode: number | undefined; signal: string | undefined }>;
}

const tqFile = join(projectFolder, 'bin', 'tq');

/** Runs the built `tq` to its end, without a terminal, and never rejects for an exit code. */
export async function runTq(args: readonly string[], options: TqOptions = {}): Promise<TqResult> {
  await ensureBuilt();
  const result = await spawnTq(args, options);
  if (result.timedOut) throw new Error(`tq ${args.join(' ')} did not end in time\n${showOutputs(result)}`);
  const { stdout, stderr, exitCode } = result;
  return {
    stdout,
    stderr,
    exitCode,
    json() {
      try {
        return JSON.parse(stdout);
      } catch (error) {
        throw new Error(`tq ${args.join(' ')} wrote no JSON\n${showOutputs(result)}`, { cause: error });
      }
    },
  };
}

/** Starts the built `tq` and leaves it running. End it with `signal()` in `afterEach`; it is killed with the run otherwise. */
export async function startTq(args: readonly string[], options: TqOptions = {}): Promise<RunningTq> {
  await ensureBuilt();
  const child = spawnTq(args, { timeoutMs: 0, ...options });
  const outputs = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    outputs.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    outputs.stderr += chunk.toString();
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`tq ${args.join(' ')} could not be started`, { cause: await child });
  recordStarted(pid, tqFile);
  let ended = false;
  const exit = child.then(({ exitCode, signal }) => {
    ended = true;
    recordEnded(pid);
    return { exitCode, signal };
  });
  return {
    pid,
    exit,
    get stdout() {
      return outputs.stdout;
    },
    get stderr() {
      return outputs.stderr;
    },
    signal(signal) {
      child.kill(signal);
    },
    async waitForLine(pattern, timeoutMs = 15_000) {
      let line: string | undefined;
      const detail = (): string => showOutputs(outputs);
      const look = (): boolean => {
        const over = ended;
        line = findLine(`${outputs.stdout}\n${outputs.stderr}`, pattern);
        return line !== undefined || over;
      };
      await waitFor(`tq ${args.join(' ')} to write ${pattern}`, look, { timeoutMs, everyMs: 10, detail });
      if (line === undefined) throw new Error(`tq ${args.join(' ')} ended before it wrote ${pattern}\n${detail()}`);
      return line;
    },
  };
}

function spawnTq(args: readonly string[], options: TqOptions): TqChild {
  return execa(process.execPath, [tqFile, ...args], {
    cwd: options.cwd ?? createFolderOfRun('cwd'),
    env: { ...cleanEnvironment(), ...options.env },
    extendEnv: false,
    reject: false,
    cleanup: true,
    timeout: options.timeoutMs ?? 20_000,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
  }) as TqChild;
}

type TqChild = ResultPromise<{ reject: false; extendEnv: false; stdout: 'pipe'; stderr: 'pipe' }>;

function cleanEnvironment(): Record<string, string> {
  const kept = ['HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'NODE_V8_COVERAGE', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME'];
  const values = kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const path = [join(projectFolder, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  return { ...Object.fromEntries(values), PATH: path };
}

/** Only whole lines count, so that a match is never the half of one. */
function findLine(text: string, pattern: RegExp | string): string | undefined {
  const matches = (line: string): boolean =>
    typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line);
  return text.split('\n').find(matches);
}

function showOutputs(outputs: { readonly stdout: string; readonly stderr: string }): string {
  return `--- stdout\n${outputs.stdout}\n--- stderr\n${outputs.stderr}`;
}
