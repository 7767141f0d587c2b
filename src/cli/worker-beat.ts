import type { Logger } from 'pino';
import type { App } from '../engine/app/contract.ts';
import type { Beat } from '../engine/beat/beat.ts';
import type { BeatSettings } from '../engine/config/settings.ts';
import { messageOf } from '../engine/core/errors.ts';

/** The beat of `tq worker --beat`. */
export interface WorkerBeat {
  /** Resolves when it has stopped. Calling it again changes nothing. */
  stop(): Promise<void>;
}

interface WorkerBeatOptions {
  readonly worker: { readonly name: string };
  readonly settings: Pick<BeatSettings, 'take'>;
  readonly log: Logger;
  readonly againMs?: number;
}

/** A broker that was lost between the start of the worker and that of its beat is asked again so often. */
const AGAIN_MS = 5000;

/**
 * Runs a beat beside a worker, under the name of the worker. What keeps it from running is logged and does not end the worker: jobs
 * go on, and entries fire as long as some worker takes their firings.
 */
export function startWorkerBeat(
  app: Pick<App, 'createBeat'>,
  { worker, settings, log, againMs = AGAIN_MS }: WorkerBeatOptions,
): WorkerBeat {
  const stopping = new AbortController();
  const name = worker.name.replaceAll('%', '%%');
  const { take } = settings;
  let beat: Beat | undefined;
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        beat ??= await app.createBeat({ name, logger: log, ...(take !== undefined && { take }) });
        if (!stopping.signal.aborted) await beat.start();
        return;
      } catch (error) {
        const isAway = (error as { code?: unknown }).code === 'BROKER_UNAVAILABLE';
        const then = isAway ? 'it is tried again' : 'this worker runs without it';
        log.error({ err: error }, `the beat of this worker did not start: ${messageOf(error)}: ${then}`);
        if (!isAway) return;
        await waitFor(againMs, stopping.signal);
      }
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      // A start that is under way ends sooner for a beat that is stopped.
      await beat?.stop();
      await running;
      await beat?.stop();
    },
  };
}

async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout: wait } = await import('node:timers/promises');
  await wait(ms, undefined, { signal }).catch(() => undefined);
}
