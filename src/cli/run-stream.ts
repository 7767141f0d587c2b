import { once } from 'node:events';
import type { Command, CommandContext } from './command.ts';
import type { Sink } from './streams.ts';

type StreamCommand = Extract<Command, { kind: 'stream' }>;

/**
 * Tells what a stream gives, line by line, until it ends or a signal asks to stop. The next line is asked for once the one
 * before is on its way, so a reader that is slow holds the stream back instead of filling the memory.
 *
 * @returns the exit code
 */
export async function runStream(command: StreamCommand, input: unknown, context: CommandContext): Promise<number> {
  const { host, output } = context;
  const { onStopSignals } = await import('../engine/runtime/stop-signals.ts');
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  const stopListening = onStopSignals({ warm: stop, cold: stop, signals: ['SIGTERM', 'SIGINT', 'SIGHUP'] });
  try {
    for await (const item of command.listen(input, context, ending.signal)) {
      output.stream(command.present(item));
      await drained(host.streams.stdout, ending.signal);
      if (ending.signal.aborted) break;
    }
    return 0;
  } finally {
    stop();
    stopListening();
  }
}

async function drained(stdout: Sink, signal: AbortSignal): Promise<void> {
  if (stdout.writableNeedDrain) await once(stdout, 'drain', { signal }).catch(() => undefined);
}
