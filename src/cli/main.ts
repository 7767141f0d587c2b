import { systemClock } from '../engine/runtime/system-clock.ts';
import type { CliHost } from './host.ts';
import { isInteractive } from './streams.ts';

/** The process as the CLI sees it; the only place that ends it. */
export async function main(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) stream.on('error', endQuietly);
  const streams = { stdin, stdout, stderr };
  const host: CliHost = {
    streams,
    cwd: process.cwd(),
    clock: systemClock,
    openSession: async (settings, options) =>
      (await import('./session.ts')).createSession(settings, systemClock, options),
    ...(isInteractive(streams) && {
      ask: async (question) => (await import('./confirm.ts')).askOn(streams, question),
      askText: async (question) => (await import('./confirm.ts')).askTextOn(streams, question),
    }),
  };
  process.exitCode = await runCli(process.argv.slice(2), host);
  // What was written to a pipe may still be on its way. After that nothing is waited for: an app may hold connections of
  // its own, opened when it was imported, that nobody closes.
  await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
  process.exit();
}

/**
 * One run of the CLI: reads the arguments, runs the command, prints what went wrong.
 *
 * @returns the exit code; never throws
 */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  let logLevel: unknown;
  try {
    const request = await (await import('./program.ts')).parseCommandLine(argv);
    if (request.kind === 'run') {
      logLevel = request.flags.logLevel;
      return await (await import('./run-command.ts')).runCommand(request, host);
    }
    host.streams.stdout.write(
      request.kind === 'text' ? request.text : `tq ${(await import('../engine/runtime/version.ts')).readVersion()}\n`,
    );
    return 0;
  } catch (thrown) {
    const { describeFailure } = await import('./failure.ts');
    const { text, exitCode } = describeFailure(thrown, logLevel === 'debug' || logLevel === 'trace');
    host.streams.stderr.write(text);
    return exitCode;
  }
}

/** Whoever read our output has seen enough (`tq … | head`): that is no failure of ours. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}
