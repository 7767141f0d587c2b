import { readLeader } from '../engine/beat/live-beats.ts';
import type { Broker } from '../engine/broker/port.ts';
import type { ScheduleView } from '../engine/schedule/schedule-view.ts';

/** What entries need to fire on time. */
export interface FiringFacts {
  /** The beat that leads; null when none does: workers go on from one firing to the next as long as they take jobs. */
  readonly leader: string | null;
  /** Queues of these entries that no worker consumes. */
  readonly unserved: readonly string[];
  /** Queues of these entries that are paused. */
  readonly paused: readonly string[];
}

/** Entries of a broker go to a few queues; the first of more are looked at. */
const MAX_QUEUES = 50;

export async function readFiringFacts(
  broker: Broker,
  entries: readonly ScheduleView[],
  now: number,
): Promise<FiringFacts> {
  const queues = new Set(
    entries.flatMap(({ enabled, nextAt, queue }) => (enabled && nextAt !== null && queue !== null ? [queue] : [])),
  );
  const [leader, statuses] = await Promise.all([
    readLeader(broker.state),
    Promise.all([...queues].slice(0, MAX_QUEUES).map((queue) => broker.queue(queue).status(now))),
  ]);
  return {
    leader: leader?.name ?? null,
    unserved: statuses.filter(({ consumers }) => consumers === 0).map(({ queue }) => queue),
    paused: statuses.filter(({ paused }) => paused).map(({ queue }) => queue),
  };
}
