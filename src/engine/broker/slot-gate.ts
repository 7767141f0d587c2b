import type { IQueueBackend } from 'bullmq';
import { overrideMethod } from './patient-backend.ts';
import type { Slots } from './slots.ts';

/**
 * The thin gate around the backend of one queue, when a consumer serves several queues with shared slots (design.md §6).
 *
 * 1. `moveToActive` asks the store only with a slot in hand, and answers "no job" without one. It must not wait here:
 *    BullMQ's loop would hold back finished jobs that already carry their successor.
 * 2. `waitForJob` then waits for a slot instead of for a job; with the slot granted it answers "look now".
 * 3. Blocked in the store's own wait, it may consume a wake-up marker while other queues took the last slot. The marker is
 *    gone for every other worker, so the next `moveToActive` lets one job through without a slot: it is reserved.
 * 4. A reserved job gets the next slot that its queue is due, or is handed back after `RESERVE_MS` (bull-consumer.ts).
 *
 * The slot itself is given back by the consumer when the job has ended, or kept for the job that was fetched with the
 * answer.
 */
export interface SlotGate {
  readonly backend: IQueueBackend;
  /** Whether this job came without a slot; asked once, when it is about to start. */
  takeReservation(jobId: string): boolean;
}

const NO_JOB = [null, '', 0, 0];

/**
 * @param isLate the backend is in use already: it was asked for jobs without a gate, and may have consumed a marker. So a job
 *   that did not pass the gate has no slot, and the first one may pass as if it were for that marker.
 */
export function createSlotGate(inner: IQueueBackend, queue: string, slots: Slots, isLate = false): SlotGate {
  const reserved = new Set<string>();
  /** Jobs that passed with a slot and have not begun; kept only where others come without having passed. */
  const passed = isLate ? new Set<string>() : undefined;
  let granted = false;
  let starved = false;
  let markerConsumed = isLate;
  let closing = new AbortController();

  const takeSlot = (): boolean => {
    if (granted) {
      granted = false;
      return true;
    }
    return slots.tryTake(queue);
  };

  const moveToActive = async (ask: () => Promise<unknown[]>): Promise<unknown[]> => {
    const hasSlot = takeSlot();
    if (!hasSlot && !markerConsumed) {
      starved = true;
      return NO_JOB;
    }
    markerConsumed = false;
    let answer: unknown[] = NO_JOB;
    try {
      answer = await ask();
    } finally {
      const [job, jobId] = answer;
      // Only the store's own "no job" lets the next wait be one in the store. BullMQ also takes a job that ended without a
      // successor for an empty queue; there may be more, so that wait is one for a slot.
      starved = Boolean(job);
      if (!job && hasSlot) slots.release(queue, true);
      if (job && !hasSlot) reserved.add(String(jobId));
      else if (job) passed?.add(String(jobId));
    }
    return answer;
  };

  const waitForJob = async (wait: () => Promise<{ score: number } | null>, seconds: number): Promise<unknown> => {
    if (!starved) {
      const marker = await wait();
      markerConsumed = marker !== null;
      return marker;
    }
    const limit = AbortSignal.any([closing.signal, AbortSignal.timeout(Math.max(1, seconds * 1000))]);
    granted = await slots.take(queue, limit);
    return granted ? { member: '0', score: 0 } : null;
  };

  overrideMethod(
    inner,
    'moveToActive',
    (method) =>
      (...args) =>
        moveToActive(() => method(...args) as Promise<unknown[]>),
  );
  overrideMethod(
    inner,
    'waitForJob',
    (method) => (seconds) => waitForJob(() => method(seconds) as Promise<{ score: number } | null>, seconds as number),
  );
  overrideMethod(inner, 'disconnectBlocking', (method) => (...args) => {
    closing.abort();
    return method(...args);
  });
  overrideMethod(inner, 'reconnectBlocking', (method) => (...args) => {
    closing = new AbortController();
    return method(...args);
  });
  overrideMethod(inner, 'close', (method) => (...args) => {
    closing.abort();
    if (granted) slots.release(queue, true);
    granted = false;
    return method(...args);
  });
  return {
    backend: inner,
    takeReservation: (jobId) => reserved.delete(jobId) || (passed !== undefined && !passed.delete(jobId)),
  };
}
