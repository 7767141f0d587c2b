import type { RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';

/**
 * BullMQ's code for why a worker may not settle a job, or 0.
 *
 * KEYS[1] job, KEYS[2] its lock, KEYS[3] active list, ARGV[1] id, ARGV[2] token
 */
const LOOK = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local lock = redis.call('GET', KEYS[2])
if ARGV[2] ~= '0' and lock ~= ARGV[2] then return lock and -6 or -2 end
return redis.call('LPOS', KEYS[3], ARGV[1]) and 0 or -3`;

/**
 * Makes Redis refuse whole.
 *
 * BullMQ's scripts for the end of a job look at its lock, take the lock away, store the error of the attempt, and only then
 * find that the job is not active; and a retry promotes delayed jobs before it looks at all. So a call that is refused leaves
 * traces: a finished job with a stack trace of an attempt that it never had. Our backend refuses before it writes anything.
 * Here Redis is asked what it would say, and where that is no, the script is not run.
 */
export function refuseWhole(backend: RedisQueueBackend, client: Redis): void {
  const { moveToCompleted, moveToFailed, moveToDelayed, retryJob } = backend;

  const assertActive = async (id: string, token: string, command: string): Promise<void> => {
    const key = backend.toKey(id);
    const code = Number(await client.eval(LOOK, 3, key, `${key}:lock`, backend.toKey('active'), id, token));
    if (code !== 0) throw backend.finishedErrors({ code, jobId: id, command, state: 'active' });
  };

  backend.moveToCompleted = async (job, value, keep, token, fetchNext) => {
    const key = backend.toKey(job.id ?? '');
    // A completion is refused for these before its lock is looked at.
    const isBlocked = (await client.scard(`${key}:dependencies`)) + (await client.zcard(`${key}:unsuccessful`)) > 0;
    if (!isBlocked) await assertActive(job.id ?? '', token, 'moveToFinished');
    return moveToCompleted.call(backend, job, value, keep, token, fetchNext) as never;
  };
  backend.moveToFailed = async (job, reason, keep, token, fetchNext, fields) => {
    await assertActive(job.id ?? '', token, 'moveToFinished');
    return moveToFailed.call(backend, job, reason, keep, token, fetchNext, fields) as never;
  };
  backend.moveToDelayed = async (id, timestamp, delay, token = '0', options = {}) => {
    await assertActive(id, token, 'moveToDelayed');
    return moveToDelayed.call(backend, id, timestamp, delay, token, options);
  };
  backend.retryJob = async (id, lifo, token = '0', options = {}) => {
    await assertActive(id, token, 'retryJob');
    return retryJob.call(backend, id, lifo, token, options);
  };
}
