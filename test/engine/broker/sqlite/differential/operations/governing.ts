import fc from 'fast-check';
import { define } from '../definition.ts';
import { TICK_MS } from '../store.ts';
import type { QueueIndex, WorkerIndex } from '../world.ts';
import { queue, rarely, record, storedMs, worker } from './choices.ts';

type OfQueue = { queue: QueueIndex };
const ofQueue = record<OfQueue>({ queue });

/** What concerns a whole queue, and time. */
export const governing = {
  pause: define(3, ofQueue, (world, given) => world.queues[given.queue].pause()),
  resume: define(4, ofQueue, (world, given) => world.queues[given.queue].resume()),

  setGlobalConcurrency: define(
    2,
    record<OfQueue & { concurrency: number }>({ queue, concurrency: fc.constantFrom(1, 2) }),
    (world, given) => world.queues[given.queue].setGlobalConcurrency(given.concurrency),
  ),
  removeGlobalConcurrency: define(2, ofQueue, (world, given) => world.queues[given.queue].removeGlobalConcurrency()),

  setGlobalRateLimit: define(
    2,
    record<OfQueue & { max: number; ms: number }>({ queue, max: fc.constantFrom(1, 2), ms: storedMs }),
    (world, given) => world.queues[given.queue].setGlobalRateLimit(given.max, given.ms),
  ),
  removeGlobalRateLimit: define(2, ofQueue, (world, given) => world.queues[given.queue].removeGlobalRateLimit()),

  rateLimit: define(1, record<OfQueue & { ms: number }>({ queue, ms: storedMs }), (world, given) =>
    world.queues[given.queue].rateLimit(given.ms),
  ),
  rateLimitByWorker: define(
    1,
    record<OfQueue & { worker: WorkerIndex; ms: number }>({ queue, worker, ms: storedMs }),
    (world, given) => world.workers[given.queue][given.worker].rateLimit(given.ms),
  ),
  removeRateLimitKey: define(2, ofQueue, (world, given) => world.queues[given.queue].removeRateLimitKey()),

  retryJobs: define(
    3,
    record<OfQueue & { state?: 'failed' | 'completed'; count?: number; beforeMs?: number }>({
      queue,
      state: rarely(60, fc.constantFrom('failed', 'completed')),
      count: rarely(40, fc.constantFrom(1000, 1)),
      beforeMs: rarely(40, fc.constantFrom(0, 10_000)),
    }),
    (world, { queue: of, beforeMs, ...options }) => {
      const timestamp = beforeMs === undefined ? {} : { timestamp: world.clock.now - beforeMs };
      return world.queues[of].retryJobs({ ...options, ...timestamp });
    },
  ),

  promoteJobs: define(
    2,
    record<OfQueue & { count?: number }>({ queue, count: rarely(50, fc.constantFrom(1000, 1)) }),
    (world, { queue: of, ...options }) => world.queues[of].promoteJobs(options),
  ),

  publishEvent: define(
    1,
    record<OfQueue & { text: string; number: number }>({
      queue,
      text: fc.constantFrom('', 'naïve 😀'),
      number: fc.nat(3),
    }),
    (world, given) =>
      world.producers[given.queue].publishEvent({ eventName: 'own', text: given.text, number: given.number } as never),
  ),

  advance: define(
    25,
    record<{ ms: number }>({
      ms: fc.constantFrom(1, 1, 1, 5, 5, 5, 10, 10, 30, 30, 60, 3600).map((ticks) => ticks * TICK_MS),
    }),
    async (world, given) => {
      await world.store.advance(world.prefix, given.ms);
    },
  ),
};
