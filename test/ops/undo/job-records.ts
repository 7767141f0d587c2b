import type { JobRecord } from '../../../src/engine/core/job-record.ts';

/** A waiting job as it is recorded. */
export function createRecord(id: string, more: Partial<JobRecord> = {}): JobRecord {
  return {
    ...{ id, task: 'a', queue: 'high', place: 'waiting', data: `{"args":["${id}"],"meta":{}}`, options: {} },
    ...{ priority: 0, createdAt: 1, delayMs: 0, dueAt: null, attemptsMade: 0, attemptsStarted: 0, workersLost: 0 },
    ...{ startedAt: null, finishedAt: null, worker: null, failure: null, stacks: [], result: null, progress: null },
    ...{ deferredFailure: null, unique: null, schedulerId: null, parent: null, children: [], log: [] },
    ...more,
  };
}
