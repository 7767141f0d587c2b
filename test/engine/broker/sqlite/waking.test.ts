import { EventEmitter } from 'node:events';
import type * as fs from 'node:fs';
import { join } from 'node:path';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSqliteBackend } from '../../../../src/sqlite.ts';
import { createFolderOfRun } from '../../../support/run-folder.ts';
import { type Channel, createChannel } from '../channel.ts';
import { readStates } from './processes/audit.ts';
import { type StartedProcess, startProcess } from './processes/started-process.ts';

/** What the file watch of the platform does in a test. */
const platform = vi.hoisted(() => ({ watch: 'works' as 'works' | 'is missing' | 'is silent', watched: 0 }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const watch = (...args: Parameters<typeof fs.watch>): unknown => {
    platform.watched += 1;
    if (platform.watch === 'is missing') throw new Error('ENOSYS: function not implemented, watch');
    if (platform.watch === 'is silent') return Object.assign(new EventEmitter(), { close: () => undefined });
    return real.watch(...args);
  };
  return { ...real, watch };
});

const ADDING = new URL('./processes/adding-process.ts', import.meta.url);
const PASSING = new URL('./processes/passing-process.ts', import.meta.url);

/** So long a worker would wait if nothing woke it, in seconds: longer than any test. */
const DRAIN_DELAY_SECONDS = 3600;

let path: string;
const ending: (() => unknown)[] = [];
beforeEach(() => {
  path = join(createFolderOfRun('waking'), 'jobs.db');
});
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
  platform.watch = 'works';
  platform.watched = 0;
  vi.restoreAllMocks();
});

function openQueue(name = 'mail', at = path): Queue {
  const queue = new Queue(name, { connection: { path: at } as never }, createSqliteBackend as never) as Queue;
  ending.push(() => queue.close());
  return queue;
}

/** A worker that has found its queue empty and waits. */
async function startIdleWorker(
  at = path,
): Promise<{ readonly worker: Worker; readonly ran: Channel<string>; readonly errors: Error[] }> {
  const ran = createChannel<string>();
  const errors: Error[] = [];
  const options = { connection: { path: at }, drainDelay: DRAIN_DELAY_SECONDS } as never;
  const run = async ({ id = '' }): Promise<void> => ran.push(id);
  const worker = new Worker('mail', run, options, createSqliteBackend as never) as Worker;
  ending.push(() => worker.close());
  worker.on('error', (error) => errors.push(error));
  const backend = worker.getBackend();
  const waits = vi.spyOn(backend, 'waitForJob');
  await vi.waitUntil(() => waits.mock.calls.length > 0, { timeout: 10_000, interval: 5 });
  return { worker, ran, errors };
}

async function startAdding(): Promise<StartedProcess> {
  const adding = startProcess(ADDING, [path, 'mail']);
  ending.push(() => adding.kill());
  await adding.said('ready');
  return adding;
}

describe('a worker that waits', () => {
  test.each(['a file', ':memory:'])('starts a job that its own process adds to %s', async (where) => {
    const at = where === ':memory:' ? where : path;
    const { ran } = await startIdleWorker(at);
    await openQueue('mail', at).add('letter', {}, { jobId: 'own' });
    expect(await ran.next()).toBe('own');
  });

  test.each(['a file', ':memory:'])('starts a delayed job of %s when it is due', async (where) => {
    const at = where === ':memory:' ? where : path;
    const { ran } = await startIdleWorker(at);
    const queue = openQueue('mail', at);
    await queue.add('letter', {}, { jobId: 'second', delay: 60 });
    await queue.add('letter', {}, { jobId: 'first', delay: 30 });
    expect(await ran.take(2)).toEqual(['first', 'second']);
  });

  test('starts jobs that another process adds, at once and delayed', async () => {
    const { ran, errors } = await startIdleWorker();
    const adding = await startAdding();
    for (const id of ['one', 'two']) {
      adding.tell(id);
      expect(await ran.next()).toBe(id);
    }
    adding.tell('late 50');
    expect(await ran.next()).toBe('late');
    expect(errors).toEqual([]);
  });

  test('goes on when another process resumes the queue', async () => {
    const { ran } = await startIdleWorker();
    const adding = await startAdding();
    adding.tell('pause');
    await adding.said('done');
    adding.tell('held');
    await adding.said('done');
    expect(ran.all).toEqual([]);
    adding.tell('resume');
    expect(await ran.next()).toBe('held');
  });

  test('does not wait for jobs of another queue', async () => {
    const { ran } = await startIdleWorker();
    await openQueue('parcels').add('parcel', {}, { jobId: 'theirs' });
    await openQueue('mail').add('letter', {}, { jobId: 'ours' });
    expect(await ran.next()).toBe('ours');
  });

  test.each(['is missing', 'is silent'] as const)(
    'starts jobs of another process where the watch of the platform %s',
    async (watch) => {
      platform.watch = watch;
      const { ran } = await startIdleWorker();
      expect(platform.watched).toBeGreaterThan(0);
      const adding = await startAdding();
      for (const id of ['one', 'two']) {
        adding.tell(id);
        expect(await ran.next()).toBe(id);
      }
    },
  );

  test.runIf(process.platform === 'linux')('hears of another process by the watch alone', async () => {
    // Nothing is polled: the intervals that the worker's wait would set never fire.
    const intervals = vi.spyOn(globalThis, 'setInterval').mockImplementation((() => undefined) as never);
    const { ran } = await startIdleWorker();
    expect(intervals).toHaveBeenCalled();
    const adding = await startAdding();
    // One word of the watch may come before the commit that it speaks of is to be seen; the next one tells of both.
    const first = ran.next();
    let isHeard = false;
    first.then(() => {
      isHeard = true;
    });
    for (let index = 0; !isHeard; index += 1) {
      adding.tell(`job-${index}`);
      await adding.said('done');
    }
    expect(await first).toBe('job-0');
  });

  test('and a second one on the same queue share the jobs that wake them', async () => {
    const [one, two] = [await startIdleWorker(), await startIdleWorker()];
    const ids = Array.from({ length: 20 }, (_, index) => `job-${index}`);
    const queue = openQueue();
    await queue.addBulk(ids.map((jobId) => ({ name: 'letter', data: {}, opts: { jobId } })));
    await vi.waitUntil(async () => (await queue.getCompletedCount()) === ids.length, { timeout: 10_000 });
    const ran = [...one.ran.all, ...two.ran.all];
    expect(ran.toSorted()).toEqual(ids.toSorted());
  });
});

describe('a reader of events that waits', () => {
  test('hears of what its own process and another one do', async () => {
    const heard = createChannel<string>();
    const options = { connection: { path }, blockingTimeout: DRAIN_DELAY_SECONDS * 1000 } as never;
    const events = new QueueEvents('mail', options, createSqliteBackend as never);
    ending.push(() => events.close());
    const reads = vi.spyOn(events.getBackend(), 'readEvents');
    events.on('added', ({ jobId }) => heard.push(jobId));
    await vi.waitUntil(() => reads.mock.calls.length > 0, { timeout: 10_000, interval: 5 });
    await openQueue().add('letter', {}, { jobId: 'own' });
    expect(await heard.next()).toBe('own');
    const adding = await startAdding();
    adding.tell('theirs');
    expect(await heard.next()).toBe('theirs');
  });
});

describe('a wait', () => {
  test('ends when the worker or the reader is closed', async () => {
    const { worker } = await startIdleWorker();
    const events = new QueueEvents('mail', { connection: { path } } as never, createSqliteBackend as never);
    const reads = vi.spyOn(events.getBackend(), 'readEvents');
    await vi.waitUntil(() => reads.mock.calls.length > 0, { timeout: 10_000, interval: 5 });
    await Promise.all([worker.close(), events.close()]);
    expect(await reads.mock.results[0]?.value).toBeNull();
  });

  test('of a worker that pauses and resumes begins again', async () => {
    const { worker, ran } = await startIdleWorker();
    await worker.pause();
    const queue = openQueue();
    await queue.add('letter', {}, { jobId: 'held' });
    expect(await queue.getJobState('held')).toBe('waiting');
    await worker.resume();
    expect(await ran.next()).toBe('held');
    await queue.add('letter', {}, { jobId: 'next' });
    expect(await ran.next()).toBe('next');
  });
});

describe('a process', () => {
  test('ends by itself once everything that waited is closed', async () => {
    const passing = startProcess(PASSING, [path]);
    ending.push(() => passing.kill());
    await passing.said('closed');
    expect(await passing.ended).toEqual({ code: 0, signal: null });
    expect(passing.complaints).toBe('');
  });

  test('ends by itself with a queue left open, of which nobody waits for anything', async () => {
    const passing = startProcess(PASSING, [path, 'open']);
    ending.push(() => passing.kill());
    expect(await passing.ended).toEqual({ code: 0, signal: null });
    expect([...readStates(path).keys()]).toEqual(['kept']);
  });
});
