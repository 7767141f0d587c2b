/**
 * Finds the queues that other BullMQ clients made in a Redis of very many keys, so that no reader has to walk all of them
 * (broker/redis/redis-queue-names.ts). One worker of all does it (leased-chore.ts), when the last walk was long enough ago: in small
 * steps with pauses, a tenth of the server's time while it lasts and a hundredth over all.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from '../broker/port.ts';
import type { QueueNames } from '../broker/queue-names-port.ts';
import type { Clock } from '../core/clock.ts';
import { type ChoreTurn, LeasedChore } from './leased-chore.ts';

const KEY = 'queues/walk';
/** A pause is so many times as long as the step before it. */
const PAUSES = 10;
const SHORTEST_PAUSE_MS = 5;
/** How often the lease is renewed; well before it runs out. */
const RENEW_MS = 30_000;

export interface QueueNameWalkOptions {
  readonly broker: Pick<Broker, 'state'>;
  readonly names: QueueNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly worker: string;
  /** How often it looks whether a walk is due. Default once a minute. */
  readonly everyMs?: number | undefined;
}

export function createQueueNameWalk(options: QueueNameWalkOptions): LeasedChore {
  return new LeasedChore({
    ...options,
    state: options.broker.state,
    complaint: 'the queues could not be looked for; it is tried again, and commands look for them themselves',
    act: (turn) => walk(options, turn),
  });
}

async function walk({ names, clock, logger }: QueueNameWalkOptions, turn: ChoreTurn): Promise<void> {
  if (!(await names.isWalkDue()) || !(await turn.holds(KEY))) return;
  // Another worker may have ended its walk just before it gave the lease back.
  if (!(await names.isWalkDue())) return;
  const startedAt = clock.monotonic();
  let renewAt = startedAt + RENEW_MS;
  for await (const tookMs of names.walk()) {
    if (clock.monotonic() >= renewAt) {
      if (!(await turn.holds(KEY))) return;
      renewAt = clock.monotonic() + RENEW_MS;
    }
    const pauseMs = Math.max(SHORTEST_PAUSE_MS, PAUSES * tookMs);
    await wait(pauseMs, undefined, { signal: turn.signal, ref: false }).catch(() => undefined);
    if (turn.signal.aborted) return;
  }
  logger.debug({ took_ms: Math.round(clock.monotonic() - startedAt) }, 'the queues of the broker were looked for');
}
