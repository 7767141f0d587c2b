import type { Values } from '../../src/cli/command.ts';
import { parseCommandLine } from '../../src/cli/program.ts';
import { parseDuration } from '../../src/engine/core/duration.ts';

/** The first table of each command: what the arguments mean to it. Nothing is run. */
export async function parseInput(...argv: string[]): Promise<unknown> {
  const request = await parseCommandLine(argv);
  if (request.kind !== 'run') throw new Error('the arguments ask for no command');
  const { timeout } = request.flags;
  const timeoutMs = typeof timeout === 'string' ? parseDuration(timeout, '--timeout') : undefined;
  return request.command.toInput({ ...request.values, timeoutMs } as Values<never>);
}

/** A fault in the arguments: its message. Every such fault has exit code 2. */
export async function usageFault(...argv: string[]): Promise<string> {
  const error: unknown = await parseInput(...argv).catch((thrown: unknown) => thrown);
  if (!(error instanceof Error) || !('exitCode' in error)) throw new Error(`no fault was found: ${String(error)}`);
  if (error.exitCode !== 2) throw new Error(`exit code ${error.exitCode}: ${error.message}`);
  return error.message;
}
