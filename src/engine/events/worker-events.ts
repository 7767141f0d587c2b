import { setTimeout as wait } from 'node:timers/promises';
import type { ControlBus, ControlNode } from '../broker/control-port.ts';
import type { Clock } from '../core/clock.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { createEvent, type Event, type EventType } from './event.ts';

/** How often the live workers are listed. One that came and left between two looks is not seen. */
const LOOK_EVERY_MS = 1000;

export interface WorkerWatchOptions {
  /** Workers that are live already and came after this instant, epoch ms, are told too. */
  readonly since?: number;
  readonly signal: AbortSignal;
}

/**
 * Tells which workers come and go, by the list of live workers of the control bus. A worker that died is told when its lease
 * has ended. While the list cannot be read, nothing is told.
 */
export async function* watchWorkers(
  control: ControlBus,
  clock: Clock,
  { since = Number.POSITIVE_INFINITY, signal }: WorkerWatchOptions,
): AsyncGenerator<readonly Event[], void, void> {
  let known: ReadonlyMap<string, ControlNode> | undefined;
  while (!signal.aborted) {
    const listing = control.listNodes().catch(() => undefined);
    const nodes = await untilAborted(listing, signal);
    if (signal.aborted) return;
    if (nodes !== undefined) {
      const live = new Map(nodes.map((node) => [node.id, node]));
      const before = known ?? new Map(nodes.filter((node) => node.since < since).map((node) => [node.id, node]));
      const left = [...before.values()].filter(({ id }) => !live.has(id));
      const came = nodes.filter(({ id }) => !before.has(id));
      known = live;
      const events = [
        ...left.map((node) => workerEvent('worker-offline', clock.now(), node)),
        ...came.map((node) => workerEvent('worker-online', node.since, node)),
      ];
      // The first batch says that the watch has begun, even when there is nothing to tell.
      yield events;
    }
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

function workerEvent(type: EventType, at: number, { name, host, pid }: ControlNode): Event {
  return createEvent(type, at, { worker: name, host, pid });
}
