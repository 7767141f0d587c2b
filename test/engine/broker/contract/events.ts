import { expect } from 'vitest';
import type { Broker, BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { NewJob, Outcome, StoredError } from '../../../../src/engine/core/job.ts';
import type { Event } from '../../../../src/engine/events/event.ts';
import { type EventStreamOptions, streamEvents } from '../../../../src/engine/events/event-stream.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { type Channel, createChannel } from '../channel.ts';
import { newJob, newJobs, queueName, SUCCEEDED, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const ERROR: StoredError = { name: 'TypeError', message: 'no luck\nsecond line', code: null, stack: null };

interface Listening {
  readonly heard: Channel<Event>;
  /** Resolves when the stream has ended; it does with the test. */
  readonly ended: Promise<void>;
}

/** Reads a stream of events of some queues until the test ends; resolves once it listens. */
async function listen(
  { broker, afterwards }: Workshop,
  queues: readonly string[] | undefined,
  options: EventStreamOptions & { readonly on?: Broker } = {},
): Promise<Listening> {
  const heard = createChannel<Event>();
  const ending = new AbortController();
  const ready = Promise.withResolvers<void>();
  const stream = streamEvents(options.on ?? broker, systemClock, {
    ...options,
    signal: ending.signal,
    onListening: ready.resolve,
  });
  const ended = (async () => {
    for await (const event of stream) if (queues === undefined || queues.includes(event.queue ?? '')) heard.push(event);
  })();
  afterwards(() => {
    ending.abort();
    return ended;
  });
  await Promise.race([ready.promise, ended]);
  return { heard, ended };
}

const tell = ({ type, task, attempt, state }: Event): string =>
  [type, task, attempt === null ? [] : `attempt ${attempt}`, state].flat().join(' ');

/** A queue that listeners find at once: it was used before. */
async function createQueue({ broker }: Workshop): Promise<BrokerQueue> {
  const queue = broker.queue(queueName());
  const job = newJob();
  await queue.add(job);
  await queue.removeJob(job.id);
  return queue;
}

/** Runs the jobs of a queue with these outcomes in turn. */
async function act(workshop: Workshop, queue: string, outcomes: readonly Outcome[]): Promise<void> {
  const left = [...outcomes];
  await workshop.consume(queue, { workerName: 'actor', perform: () => left.shift() ?? SUCCEEDED });
}

export const events: Subject = {
  subject: 'events',
  rules: [
    defineRule('a job that succeeds is told once at each step, with what the log does not hold', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      const job = newJob({ task: 'email.send', meta: { requestId: 'req-1' } });
      await queue.add(job);
      expect((await heard.take(2)).map(tell)).toEqual(['sent email.send PENDING', 'received email.send PENDING']);
      await act(workshop, queue.name, [SUCCEEDED]);
      const [started, succeeded] = await heard.take(2);
      const shared = { id: job.id, queue: queue.name, worker: 'actor', requestId: 'req-1', attempt: 1, error: null };
      expect(started).toMatchObject({ type: 'started', state: 'STARTED', durationMs: null, ...shared });
      expect(succeeded).toMatchObject({
        type: 'succeeded',
        state: 'SUCCESS',
        durationMs: expect.any(Number),
        ...shared,
      });
      expect(Object.keys(succeeded ?? {})).toEqual(Object.keys(started ?? {}));
      expect(heard.all[0]).toMatchObject({ requestId: 'req-1', worker: null, delayMs: null, host: null, pid: null });
    }),

    defineRule('a retry is told with its error and delay, and a dead letter as failed and dead', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      await queue.add(newJob());
      await act(workshop, queue.name, [
        { kind: 'retry', delayMs: 50, error: ERROR },
        { kind: 'retry', delayMs: 0, error: ERROR },
        { kind: 'dead', error: { ...ERROR, message: 'gave up' } },
      ]);
      const told = await heard.take(11);
      expect(told.map(tell)).toEqual([
        'sent work PENDING',
        'received work PENDING',
        'started work attempt 1 STARTED',
        'retried work attempt 1 RETRY',
        'received work RETRY',
        'started work attempt 2 STARTED',
        'retried work attempt 2 RETRY',
        'received work RETRY',
        'started work attempt 3 STARTED',
        'failed work attempt 3 FAILURE',
        'dead work attempt 3 FAILURE',
      ]);
      const retried = told.filter(({ type }) => type === 'retried');
      expect(retried[0]).toMatchObject({
        error: 'TypeError: no luck',
        durationMs: expect.any(Number),
        worker: 'actor',
      });
      expect(retried[0]?.delayMs).toBeGreaterThan(0);
      expect(retried[1]?.delayMs).toBe(0);
      expect(told.at(-1)).toMatchObject({ error: 'TypeError: gave up', durationMs: expect.any(Number) });
    }),

    defineRule('an ignored and a revoked job are told as that, with the reason', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      await queue.addBulk(newJobs(2));
      await act(workshop, queue.name, [
        { kind: 'ended', state: 'IGNORED', reason: 'not today' },
        { kind: 'ended', state: 'REVOKED', reason: 'expired' },
      ]);
      const ends = (await heard.take(8)).filter(({ state }) => state === 'IGNORED' || state === 'REVOKED');
      expect(ends).toMatchObject([
        { type: 'ignored', reason: 'not today', error: null },
        { type: 'revoked', reason: 'expired', error: null },
      ]);
    }),

    defineRule('a job that failed without being a dead letter is told as failed alone', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      await queue.addBulk(newJobs(2));
      await act(workshop, queue.name, [{ kind: 'failed', error: ERROR }, SUCCEEDED]);
      const told = await heard.take(8);
      expect(told.slice(4).map(tell)).toEqual([
        'started work attempt 1 STARTED',
        'failed work attempt 1 FAILURE',
        'started work attempt 1 STARTED',
        'succeeded work attempt 1 SUCCESS',
      ]);
      expect(told[5]).toMatchObject({ error: 'TypeError: no luck', reason: null, durationMs: expect.any(Number) });
    }),

    defineRule('a job that waits for its children again is not told as retried', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      const parent = newJob({ task: 'parent' });
      const child = newJob({ parent: { queue: queue.name, id: parent.id, onDead: 'wait' }, delayMs: 3_600_000 });
      await queue.add(parent);
      await workshop.consume(queue.name, {
        async perform({ task, timesTaken }) {
          if (task !== 'parent' || timesTaken > 1) return SUCCEEDED;
          await queue.add(child);
          return { kind: 'blocked' };
        },
      });
      await heard.take(4);
      await queue.promoteToHead([child.id]);
      const told = (await heard.take(6)).filter(({ task }) => task === 'parent');
      expect(told.map(tell)).toEqual([
        'received parent PENDING',
        'started parent attempt 1 STARTED',
        'succeeded parent attempt 1 SUCCESS',
      ]);
    }),

    defineRule('progress is told as it was reported, with the worker and the attempt', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      await queue.add(newJob());
      await workshop.consume(queue.name, {
        workerName: 'actor',
        async perform(job) {
          await job.updateProgress(50);
          await job.updateProgress({ done: 1, of: ['a'] });
          return SUCCEEDED;
        },
      });
      const told = await heard.take(6);
      expect(told.map(({ type }) => type)).toEqual([
        'sent',
        'received',
        'started',
        'progress',
        'progress',
        'succeeded',
      ]);
      expect(told[3]).toMatchObject({ progress: 50, attempt: 1, worker: 'actor', state: 'STARTED' });
      expect(told[4]).toMatchObject({ progress: { done: 1, of: ['a'] } });
      expect(told[5]).toMatchObject({ progress: null });
    }),

    defineRule('a scheduled job is sent with its delay and received when it is due', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      await queue.add(newJob({ delayMs: 300 }));
      const [sent] = await heard.take(1);
      expect(sent).toMatchObject({ type: 'sent', state: 'SCHEDULED' });
      expect(sent?.delayMs).toBeGreaterThan(0);
      expect(sent?.delayMs).toBeLessThanOrEqual(300);
      await act(workshop, queue.name, [SUCCEEDED]);
      expect((await heard.take(3)).map(({ type }) => type)).toEqual(['received', 'started', 'succeeded']);
    }),

    defineRule('a job that is handed back, put back or lost is not told as retried', async (workshop) => {
      const queue = await createQueue(workshop);
      const { name } = queue;
      await queue.enablePriorities();
      const { heard } = await listen(workshop, [name]);
      await queue.add(newJob({ priority: 5 }));
      const outcomes: Outcome[] = [
        { kind: 'released' },
        { kind: 'postponed', delayMs: 1, note: 'unknown here' },
        { kind: 'lost', delayMs: 1, error: ERROR },
        { kind: 'retry', delayMs: 1, error: ERROR },
        SUCCEEDED,
      ];
      // Each end waits until its start was heard: the job is then read between the two, as it is with tasks that take time.
      const starts = createChannel<void>();
      await workshop.consume(name, {
        perform: async () => {
          await starts.next();
          return outcomes.shift() ?? SUCCEEDED;
        },
      });
      const told: string[] = [];
      while (told.at(-1)?.startsWith('succeeded') !== true) {
        const event = await heard.next();
        told.push(tell(event));
        if (event.type === 'started') starts.push();
      }
      expect(told.filter((line) => /retried|succeeded|started/.test(line))).toEqual([
        ...Array.from({ length: 4 }, () => 'started work attempt 1 STARTED'),
        'retried work attempt 1 RETRY',
        'started work attempt 2 STARTED',
        'succeeded work attempt 2 SUCCESS',
      ]);
    }),

    defineRule('a job that is removed when it ends is told with its task and worker', async (workshop) => {
      const queue = await createQueue(workshop);
      const { heard } = await listen(workshop, [queue.name]);
      const job = newJob({ task: 'gone', ignoreResult: true, meta: { requestId: 'r' } });
      await queue.add(job);
      await heard.take(2);
      const hold = workshop.gate<Outcome>();
      await workshop.consume(queue.name, { workerName: 'actor', perform: () => hold.promise });
      await heard.take(1);
      hold.resolve(SUCCEEDED);
      expect(await heard.next()).toMatchObject({ type: 'succeeded', task: 'gone', worker: 'actor', requestId: 'r' });
      expect(await queue.readJob(job.id)).toBeUndefined();
    }),

    defineRule('a stream that begins in the past tells what happened since, in order', async (workshop) => {
      const [first, second] = [workshop.broker.queue(queueName()), workshop.broker.queue(queueName())];
      const since = systemClock.now() - 1000;
      await first.add(newJob({ task: 'a' }));
      await second.add(newJob({ task: 'b' }));
      await act(workshop, first.name, [{ kind: 'retry', delayMs: 1, error: ERROR }]);
      const live = await listen(workshop, [first.name], { since });
      expect((await live.heard.take(7)).map(tell)).toEqual([
        'sent a PENDING',
        'received a PENDING',
        'started a attempt 1 STARTED',
        'retried a attempt 1 RETRY',
        'received a RETRY',
        'started a attempt 2 STARTED',
        'succeeded a attempt 2 SUCCESS',
      ]);
      const { heard } = await listen(workshop, [first.name, second.name], { since });
      const told = await heard.take(9);
      expect(told.map(({ at }) => at)).toEqual(told.map(({ at }) => at).toSorted((a, b) => a - b));
      expect(told.map(({ task }) => task).toSorted()).toEqual([...'aaaaaaabb']);
    }),

    defineRule('a stream without a beginning tells nothing of before', async (workshop) => {
      const queue = await createQueue(workshop);
      await queue.addBulk(newJobs(3));
      const { heard } = await listen(workshop, [queue.name]);
      await queue.add(newJob({ task: 'after' }));
      expect(await heard.next()).toMatchObject({ type: 'sent', task: 'after' });
    }),

    defineRule('more events than one read gives come once each, in the order of their log', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const since = systemClock.now() - 1000;
      const jobs = newJobs(2500);
      await queue.addBulk(jobs);
      const { heard } = await listen(workshop, [queue.name], { since });
      const told = await heard.take(5000);
      expect(told.filter(({ type }) => type === 'sent').map(({ id }) => id)).toEqual(jobs.map(({ id }) => id));
      await queue.add(newJob({ task: 'last' }));
      expect(await heard.next()).toMatchObject({ type: 'sent', task: 'last' });
    }),

    defineRule('a queue that is made while listening is told from its first event on', async (workshop) => {
      const name = queueName();
      const { heard } = await listen(workshop, [name]);
      await workshop.plainQueue(name).add('new.task', { a: 1 });
      expect((await heard.take(2)).map(tell)).toEqual(['sent new.task PENDING', 'received new.task PENDING']);
    }),

    defineRule(
      'jobs of plain BullMQ are told like ours: their retries, their ends, their priorities',
      async (workshop) => {
        const { name } = await createQueue(workshop);
        const { heard } = await listen(workshop, [name]);
        const plain = workshop.plainQueue(name);
        let runs = 0;
        await workshop.plainWorker(name, () => {
          runs += 1;
          if (runs < 3) throw new RangeError('not yet');
          return { fine: true };
        });
        await plain.add('foreign', { to: 'x' }, { attempts: 3, backoff: 10, priority: 7 });
        const told = await heard.take(10);
        expect(told.map(tell)).toEqual([
          'sent foreign PENDING',
          'received foreign PENDING',
          'started foreign attempt 1 STARTED',
          'retried foreign attempt 1 RETRY',
          'received foreign RETRY',
          'started foreign attempt 2 STARTED',
          'retried foreign attempt 2 RETRY',
          'received foreign RETRY',
          'started foreign attempt 3 STARTED',
          'succeeded foreign attempt 3 SUCCESS',
        ]);
        expect(told[3]).toMatchObject({ error: 'RangeError: not yet', requestId: told[3]?.id });
      },
    ),

    defineRule(
      'a flow of plain BullMQ: the parent is blocked, and received when its child has ended',
      async (workshop) => {
        const [parents, children] = [(await createQueue(workshop)).name, queueName()];
        const { heard } = await listen(workshop, [parents]);
        await workshop.plainFlow({
          name: 'parent',
          queueName: parents,
          children: [{ name: 'child', queueName: children }],
        });
        expect(tell(await heard.next())).toBe('sent parent BLOCKED');
        await workshop.plainWorker(children, () => 1);
        expect(tell(await heard.next())).toBe('received parent PENDING');
      },
    ),

    defineRule('workers are told when they come and when they leave', async (workshop) => {
      const { heard } = await listen(workshop, undefined, {
        matches: ({ worker }) => worker?.startsWith('w-') === true,
      });
      const handle = () => ({ value: null });
      const membership = await workshop.broker.control.join({ id: `worker-${queueName()}`, name: 'w-1', handle });
      expect(await heard.next()).toMatchObject({
        type: 'worker-online',
        worker: 'w-1',
        host: expect.any(String),
        pid: process.pid,
        id: null,
      });
      await membership.leave();
      expect(await heard.next()).toMatchObject({ type: 'worker-offline', worker: 'w-1', pid: process.pid });
    }),

    defineRule('what a reader does not ask for is not read, and nothing is lost by it', async (workshop) => {
      const queue = await createQueue(workshop);
      await queue.add(newJob());
      const ready = Promise.withResolvers<void>();
      const ending = new AbortController();
      workshop.afterwards(() => ending.abort());
      const stream = streamEvents(workshop.broker, systemClock, {
        signal: ending.signal,
        matches: (event) => event.queue === queue.name,
        onListening: ready.resolve,
      });
      const first = stream.next();
      await ready.promise;
      const jobs = newJobs(1500);
      await queue.add(jobs[0] as NewJob);
      expect((await first).value).toMatchObject({ type: 'sent', id: jobs[0]?.id });
      await queue.addBulk(jobs.slice(1));
      const sent = [jobs[0]?.id];
      while (sent.length < jobs.length) {
        const { value } = await stream.next();
        if (value?.type === 'sent') sent.push(value.id as string);
      }
      expect(sent).toEqual(jobs.map(({ id }) => id));
      await stream.return();
    }),

    defineRule('listening changes nothing in the store, and ends with the broker', async (workshop) => {
      const queue = await createQueue(workshop);
      await queue.add(newJob());
      const before = await workshop.broker.listQueues();
      const own = await workshop.openBroker();
      const { ended } = await listen(workshop, [], { on: own, since: 1 });
      await own.close();
      await ended;
      expect(await workshop.broker.listQueues()).toEqual(before);
      expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 });
    }),
  ],
};
