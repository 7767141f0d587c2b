import { setTimeout as wait } from 'node:timers/promises';
import type { Broker, BrokerQueue } from '../../broker/port.ts';
import { type HeldEntry, type HeldLine, heldPrefix, mayBeHeld, parseHeld } from './held-index.ts';

const BATCH = 1000;
/** How often, and after which wait, a job is looked at again that its worker was just about to move. */
const LOOKS = 20;
const LOOK_MS = 100;

export interface LettingGo {
  readonly queue: string;
  readonly task: string;
  readonly line: HeldLine;
  /** Which of the jobs; all without it. */
  readonly only?: (entry: HeldEntry) => boolean;
  /** Hears how many were let go so far. */
  readonly onProgress?: (count: number) => void;
}

type Stores = Pick<Broker, 'state' | 'queue'>;

/**
 * Lets all jobs of a line go: they become the first of their queue, the oldest first of all.
 *
 * The last ones are moved first, in batches, each to the head: so they end in their old order, before everything that was
 * added since. The price is that workers that take jobs meanwhile begin with the younger ones. Any number may do it at once.
 *
 * @returns how many were let go
 */
export async function letGoAll(
  broker: Stores,
  { queue: name, task, line, only, onProgress }: LettingGo,
): Promise<number> {
  const queue = broker.queue(name);
  const prefix = heldPrefix(name, task, line);
  const late: HeldEntry[] = [];
  let count = 0;
  let before: string | undefined;
  for (;;) {
    const found = await broker.state.listBack(prefix, BATCH, before);
    if (found.length === 0) break;
    before = found.at(-1)?.key;
    const entries = found.map(parseHeld).filter((entry) => only?.(entry) ?? true);
    const gone = new Set(await promote(broker, queue, entries.reverse()));
    late.push(...entries.filter(({ id }) => !gone.has(id)));
    count += gone.size;
    onProgress?.(count);
  }
  return count + (await letGoLate(queue, late));
}

async function promote({ state }: Stores, queue: BrokerQueue, entries: readonly HeldEntry[]): Promise<string[]> {
  const gone = await queue.promoteToHead(entries.map(({ id }) => id));
  // What was not scheduled is on its way there, or has nothing to do with the line any more.
  await state.removeAll(entries);
  return gone;
}

/** A worker writes the entry, then moves the job: the entry of a job that is still active may be a moment ahead of it. */
async function letGoLate(queue: BrokerQueue, entries: readonly HeldEntry[]): Promise<number> {
  let count = 0;
  let left = entries;
  for (let look = 0; left.length > 0 && look < LOOKS; look += 1) {
    const gone = new Set(await queue.promoteToHead(left.map(({ id }) => id)));
    count += gone.size;
    const jobs = await Promise.all(left.map(({ id }) => (gone.has(id) ? undefined : queue.readJob(id))));
    left = left.filter((_, index) => mayBeHeld(jobs[index]));
    if (left.length > 0) await wait(LOOK_MS);
  }
  return count;
}
