import type { IQueueBackend } from 'bullmq';
import { type JobStanding, type QueueStanding, STANDING_COUNTED } from '../core/job-standing.ts';
import type { QueueStatus } from './port.ts';
import type { Store } from './store.ts';

/** Children that are named of those that a job waits for. */
const CHILDREN_LOOKED_AT = 500;
/** No window of a rate counts so many jobs: a counter beyond it was set there by hand, to stop the queue for a while. */
const BEYOND_COUNT = 1_000_000_000;
const WAITING = new Set(['waiting', 'wait', 'paused', 'prioritized']);

/** How a job stands in its queue. Each part is read by itself: of a job that moves meanwhile, they may be of different moments. */
export async function readStanding(
  { backend, store, status }: { backend: IQueueBackend; store: Store; status: QueueStatus },
  id: string,
): Promise<JobStanding> {
  const [state, queue] = await Promise.all([backend.getState(id), readQueueStanding(backend, status)]);
  const isBlocked = state === 'waiting-children';
  const [before, [lockLeftMs = null], children] = await Promise.all([
    WAITING.has(state) ? store.countBefore(status.queue, id, STANDING_COUNTED) : null,
    state === 'active' ? store.listLockLeftMs(status.queue, [id]) : [],
    isBlocked ? readPending(backend, id) : { pending: 0, pendingChildren: [] },
  ]);
  return { queue, before, lockLeftMs, ...children };
}

async function readQueueStanding(backend: IQueueBackend, status: QueueStatus): Promise<QueueStanding> {
  const [concurrency, max] = await Promise.all([
    backend.getQueueMetaField('concurrency'),
    backend.getQueueMetaField('max'),
  ]);
  // Without a rate of the queue itself, BullMQ answers with the window of whatever worker counts in it, full or not.
  const [limited, window] = await Promise.all([
    backend.getRateLimitTtl(max === null ? BEYOND_COUNT : undefined),
    max === null ? backend.getRateLimitTtl() : 0,
  ]);
  const { paused, waiting, active, consumers } = status;
  const limit = Number(concurrency ?? Number.NaN);
  return {
    ...{ paused, waiting, active, consumers },
    concurrency: Number.isFinite(limit) ? limit : null,
    limitedForMs: Math.max(0, limited),
    windowMs: limited > 0 ? 0 : Math.max(0, window),
  };
}

async function readPending(
  backend: IQueueBackend,
  id: string,
): Promise<Pick<JobStanding, 'pending' | 'pendingChildren'>> {
  const [[out = 0], { unprocessed = [] }] = await Promise.all([
    backend.getDependencyCounts(id, ['unprocessed']),
    backend.getDependencies(id, { unprocessed: { cursor: 0, count: CHILDREN_LOOKED_AT } }),
  ]);
  const pendingChildren = unprocessed.slice(0, CHILDREN_LOOKED_AT).map((key) => {
    const node = backend.parseNodeKey(key);
    return { queue: node.queueName, id: node.id };
  });
  return { pending: Math.max(out, pendingChildren.length), pendingChildren };
}
