import type { Logger } from 'pino';
import type { Broker } from '../../broker/port.ts';
import type { Clock } from '../../core/clock.ts';
import { Autoscaler, type AutoscalerOptions } from './autoscaler.ts';
import type { AutoscaleBounds } from './decision.ts';

interface Surroundings {
  readonly worker: string;
  readonly autoscale?: AutoscaleBounds;
  readonly broker: Pick<Broker, 'queue'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ScaledWorker extends Pick<AutoscalerOptions, 'readSlots' | 'resize'> {
  /** Names of the queues that it serves now. */
  readonly readQueues: () => Iterable<string>;
}

/** The autoscaler of a worker, not started; undefined for one whose number of slots is fixed. */
export function createAutoscaler(
  { worker, autoscale, broker, clock, logger }: Surroundings,
  { readQueues, readSlots, resize }: ScaledWorker,
): Autoscaler | undefined {
  if (autoscale === undefined) return undefined;
  return new Autoscaler({
    bounds: autoscale,
    clock,
    readSlots,
    countWaiting: () => countWaiting(broker, { queues: [...readQueues()], now: clock.now() }),
    resize(slots) {
      logger.info({ worker, from: readSlots().slots, to: slots }, 'autoscale changes the number of slots');
      resize(slots);
    },
    onTrouble: (error) => logger.warn({ err: error }, 'autoscale could not look how many jobs wait'),
  });
}

/** Jobs that could be taken: those of a paused queue could not. */
async function countWaiting(
  broker: Pick<Broker, 'queue'>,
  { queues, now }: { readonly queues: readonly string[]; readonly now: number },
): Promise<number> {
  const all = await Promise.all(queues.map((queue) => broker.queue(queue).status(now)));
  return all.reduce((sum, { paused, waiting }) => sum + (paused ? 0 : waiting), 0);
}
