import type { ProcessLog } from '../engine/runtime/logger.ts';
import type { CommandContext } from './command.ts';

/**
 * The log is the output of a service: to stdout, as lines for people on a terminal, as JSON elsewhere.
 *
 * @param logfile the file that it goes to in place of stdout
 */
export async function openServiceLog(
  { settings, host, output }: CommandContext,
  logfile: string | undefined,
): Promise<ProcessLog> {
  const { createLogger } = await import('../engine/runtime/logger.ts');
  const onTerminal = logfile === undefined && !settings.json && host.streams.stdout.isTTY === true;
  return createLogger({
    level: settings.logLevel,
    destination: logfile ?? host.streams.stdout,
    pretty: onTerminal,
    color: onTerminal && settings.color !== false,
    redact: settings.redact,
    clock: host.clock,
    onTrouble: (error) => output.note(`the log cannot be written: ${error.message}`),
  });
}

/** Opens the log file anew at SIGHUP, as log rotation asks for. @returns a function that ends it */
export function reopenAtHangUp({ log, reopen }: ProcessLog): () => void {
  const onHangUp = (): void =>
    void reopen().catch((error) => log.error({ err: error }, 'the log file cannot be reopened'));
  process.on('SIGHUP', onHangUp);
  return () => process.off('SIGHUP', onHangUp);
}
