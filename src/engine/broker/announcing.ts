import { type IQueueBackend, Queue } from 'bullmq';
import type { Store } from './store.ts';

/** Writes the metadata of a queue as BullMQ's producers do: it is how others find the queue. */
export async function announceQueue(name: string, store: Pick<Store, 'prefix'>, backend: IQueueBackend): Promise<void> {
  const announcement = new Queue(
    name,
    { connection: {} as never, prefix: store.prefix, skipMetasUpdate: true },
    () => backend as never,
  );
  await backend.setQueueMeta(announcement.metaValues);
}
