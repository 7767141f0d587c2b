import { PassThrough, Readable } from 'node:stream';
import type { CliHost } from '../../src/cli/host.ts';
import { runCli } from '../../src/cli/main.ts';
import type { SignalSource } from '../../src/engine/runtime/stop-signals.ts';
import { createFakeSession, type FakeSession } from './fake-session.ts';

export interface Given {
  readonly session?: FakeSession;
  /** Stdout and stderr are terminals of this many columns; pipes without it. */
  readonly columns?: number;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  /** A person who answers every question like this; nobody without it. */
  readonly answer?: boolean;
  /** What they type when a name is asked for. */
  readonly typed?: string;
  /** Where signals come from. */
  readonly signals?: SignalSource;
}

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly questions: readonly string[];
}

/** Runs the CLI in this process over doubles: no broker, no environment, no terminal but those given. */
export async function run(argv: readonly string[], given: Given = {}): Promise<Ran> {
  const { session = createFakeSession(), columns, env = {}, stdin = '', answer, typed, signals } = given;
  const stdout = createSink(columns);
  const stderr = createSink(columns);
  const questions: string[] = [];
  const ask = async (question: string): Promise<boolean> => {
    questions.push(question);
    return answer === true;
  };
  const askText = async (question: string): Promise<string> => {
    questions.push(question);
    return typed ?? '';
  };
  const host: CliHost = {
    streams: { stdin: Readable.from([Buffer.from(stdin)]), stdout: stdout.sink, stderr: stderr.sink },
    cwd: import.meta.dirname,
    clock: session.clock,
    env: { ...HOMES, ...env },
    openSession: async () => session,
    ...(answer !== undefined && { ask }),
    ...(typed !== undefined && { askText }),
    ...(signals !== undefined && { signals }),
  };
  const exitCode = await runCli(argv, host);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text(), questions };
}

/** Of this run of the tests. */
const HOMES = {
  XDG_STATE_HOME: process.env['XDG_STATE_HOME'],
  XDG_CONFIG_HOME: process.env['XDG_CONFIG_HOME'],
};

function createSink(columns: number | undefined) {
  const parts: Buffer[] = [];
  const sink = new PassThrough();
  sink.on('data', (part: Buffer) => parts.push(part));
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  return { sink: Object.assign(sink, terminal), text: () => Buffer.concat(parts).toString('utf8') };
}
