import type { ConsumedQueue, QueueOrder } from './port.ts';

/**
 * The slots of a worker that serves several queues, and who gets the next free one.
 *
 * A queue takes a slot before it asks the store for a job, and gives it back when the job has ended or none was there.
 * Without a free slot it waits in line. The line is not first come, first served: `strict` serves the queue that stands
 * first; `weighted` and `fair` share the starts by stride scheduling (Waldspurger and Weihl, 1995): each start moves the
 * queue's pass on by 1/weight, and the lowest pass goes next, so no queue starves. `fair` is `weighted` with equal weights.
 *
 * Owned by one consumer; nothing here is asynchronous but the waiting itself.
 */
export interface Slots {
  /** Takes a free slot at once, unless a queue that goes first is waiting for one. */
  tryTake(queue: string): boolean;
  /** Waits in line; true with a slot taken, false when `signal` aborted first. */
  take(queue: string, signal: AbortSignal): Promise<boolean>;
  /** Whether a finished job of this queue should give its slot back rather than fetch the next job of its own. */
  mustYield(queue: string): boolean;
  /** Counts a start that kept its slot: the next job of the same queue. */
  continueWith(queue: string): void;
  /** Gives a slot back. `unused` says that no job was found for it, so the start is not counted. */
  release(queue: string, unused?: boolean): void;
  /** Takes slots for jobs that run already, without asking whether any is free. */
  occupy(count: number): void;
  /** A further queue stands in line, last where the order counts. */
  add(queue: ConsumedQueue): void;
  /** A queue stands in line no more; it waits for no slot. Those that it holds it gives back as before. */
  remove(queue: string): void;
  /** Changes the number of slots. Those that are taken stay so: with fewer than that, they go as their jobs end. */
  resize(total: number): void;
  /** Below zero while more are taken than there are to be. */
  readonly free: number;
}

interface Waiter {
  readonly queue: string;
  readonly grant: () => void;
}

export function createSlots(total: number, order: QueueOrder, queues: readonly ConsumedQueue[]): Slots {
  const line = order === 'strict' ? createStrictLine(queues) : createStrideLine(queues, order === 'fair');
  const waiters: Waiter[] = [];
  let size = total;
  let free = total;

  const first = (extra?: string): string | undefined => {
    const candidates = new Set(waiters.map(({ queue }) => queue));
    if (extra !== undefined) candidates.add(extra);
    return line.first(candidates);
  };

  const serve = (): void => {
    while (free > 0 && waiters.length > 0) {
      const queue = first();
      const index = waiters.findIndex((waiter) => waiter.queue === queue);
      const [waiter] = waiters.splice(index, 1);
      free -= 1;
      if (waiter !== undefined) {
        line.count(waiter.queue, 1);
        waiter.grant();
      }
    }
  };

  return {
    get free() {
      return free;
    },
    tryTake(queue) {
      if (free <= 0 || first(queue) !== queue) return false;
      free -= 1;
      line.count(queue, 1);
      return true;
    },
    take(queue, signal) {
      return new Promise((resolve) => {
        if (signal.aborted) return resolve(false);
        const onAbort = (): void => {
          const index = waiters.indexOf(waiter);
          if (index >= 0) waiters.splice(index, 1);
          resolve(false);
        };
        const waiter: Waiter = {
          queue,
          grant: () => {
            signal.removeEventListener('abort', onAbort);
            resolve(true);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiters.push(waiter);
        serve();
      });
    },
    mustYield(queue) {
      return free < 0 || (waiters.length > 0 && first(queue) !== queue);
    },
    continueWith(queue) {
      line.count(queue, 1);
    },
    release(queue, unused = false) {
      free += 1;
      if (unused) line.count(queue, -1);
      serve();
    },
    occupy(count) {
      free -= count;
    },
    add: (queue) => line.add(queue),
    remove: (queue) => line.remove(queue),
    resize(wanted) {
      free += wanted - size;
      size = wanted;
      serve();
    },
  };
}

interface Line {
  first(candidates: ReadonlySet<string>): string | undefined;
  count(queue: string, starts: 1 | -1): void;
  add(queue: ConsumedQueue): void;
  remove(queue: string): void;
}

function createStrictLine(queues: readonly ConsumedQueue[]): Line {
  const names = new Set(queues.map(({ name }) => name));
  return {
    first(candidates) {
      for (const name of names) if (candidates.has(name)) return name;
      return undefined;
    },
    count: () => {},
    add({ name }) {
      names.delete(name);
      names.add(name);
    },
    remove: (name) => void names.delete(name),
  };
}

function createStrideLine(queues: readonly ConsumedQueue[], equal: boolean): Line {
  const strides = new Map(queues.map(({ name, weight }) => [name, equal ? 1 : 1 / weight]));
  const passes = new Map(queues.map(({ name }) => [name, 0]));
  const passOf = (queue: string): number => passes.get(queue) ?? 0;
  let current = 0;
  return {
    first(candidates) {
      let best: string | undefined;
      for (const name of passes.keys()) {
        if (candidates.has(name) && (best === undefined || passOf(name) < passOf(best))) best = name;
      }
      return best;
    },
    add({ name, weight }) {
      strides.set(name, equal ? 1 : 1 / weight);
      // As one that was idle: no credit for the time before it came.
      passes.set(name, current);
    },
    remove(name) {
      strides.delete(name);
      passes.delete(name);
    },
    count(queue, starts) {
      if (!passes.has(queue)) return;
      const stride = strides.get(queue) ?? 1;
      // A queue that was idle gets no credit for that time: it joins at the pass of the latest start.
      const from = starts === 1 ? Math.max(passOf(queue), current - stride) : passOf(queue);
      if (starts === 1) current = Math.max(current, from);
      passes.set(queue, from + starts * stride);
    },
  };
}
