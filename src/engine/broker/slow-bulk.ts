import type { IQueueBackend } from 'bullmq';
import type { BulkStore } from './bulk-store.ts';
import type { Store } from './store.ts';

/** TEMPORARY: job by job with BullMQ's own commands, until each store has its own. */
export function createSlowBulk(store: Pick<Store, 'reprocess' | 'queueBackend'>): BulkStore {
  const missing = async (): Promise<never> => {
    throw new Error('this store cannot do it yet');
  };
  const each = async (ids: readonly string[], act: (id: string) => Promise<boolean>): Promise<string[]> => {
    const done: string[] = [];
    for (const id of ids) if (await act(id)) done.push(id);
    return done;
  };
  const backend = (queue: string): IQueueBackend => store.queueBackend(queue);
  return {
    readRecords: missing,
    restore: missing,
    remove: (queue, ids) => each(ids, async (id) => (await backend(queue).remove(id, true)) === 1),
    move: missing,
    rewrite: missing,
    async reprocess(queue, jobs) {
      const done: string[] = [];
      for (const { id, data, note } of jobs) {
        if (data !== undefined) await backend(queue).updateData({ id } as never, JSON.parse(data));
        if (await store.reprocess(queue, id, ['failed'])) done.push(id);
        if (note !== undefined) await backend(queue).addLog(id, note);
      }
      return done;
    },
    promote: (queue, ids) =>
      each(ids, (id) =>
        backend(queue)
          .promote(id)
          .then(
            () => true,
            () => false,
          ),
      ),
  };
}
