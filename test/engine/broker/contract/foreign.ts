import { expect } from 'vitest';
import { newJob, queueName } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const DATA: readonly [title: string, data: unknown][] = [
  ['an object', { a: 1 }],
  ['null', null],
  ['a number', 7],
  ['zero', 0],
  ['a text', 'text'],
  ['an empty text', ''],
  ['an array', [1, 2]],
  ['an envelope with a field more', { args: [1], meta: {}, more: true }],
  ['an object with args that are no array', { args: 'x', meta: {} }],
  ['an object with args alone', { args: [1] }],
];

export const foreign: Subject = {
  subject: 'jobs of other producers',
  rules: [
    ...DATA.map(([title, given]) =>
      defineRule(
        `${title} from plain BullMQ is the single argument`,
        async ({ broker, store, consume, plainQueue }) => {
          const queue = broker.queue(queueName());
          const { id } = await plainQueue(queue.name).add('task', given);
          // BullMQ's own PostgreSQL backend reads null as {}.
          const data = given === null && store === 'postgres' ? {} : given;
          expect(await queue.readJob(id ?? '')).toMatchObject({
            task: 'task',
            args: [data],
            meta: {},
            state: 'PENDING',
          });
          const probe = await consume(queue.name);
          expect(await probe.taken.next()).toMatchObject({ task: 'task', args: [data], meta: {}, unreadable: null });
          await probe.settled();
          expect(await queue.readJob(id ?? '')).toMatchObject({ state: 'SUCCESS', args: [data] });
        },
      ),
    ),

    defineRule('an envelope from plain BullMQ is read as ours', async ({ broker, consume, plainQueue }) => {
      const queue = broker.queue(queueName());
      const meta = { requestId: 'r', headers: { a: 'b', c: 4 }, expiresAt: 'soon', rootId: 5 };
      await plainQueue(queue.name).add('task', { args: [1, 'two'], meta });
      const probe = await consume(queue.name);
      const taken = await probe.taken.next();
      expect(taken.args).toEqual([1, 'two']);
      expect(taken.meta).toEqual({ requestId: 'r', headers: { a: 'b' } });
    }),

    defineRule('the options of a plain BullMQ producer hold: attempts, priority, delay', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const plain = workshop.plainQueue(queue.name);
      const low = await plain.add('low', 1, { priority: 2_000_000 });
      const high = await plain.add('high', 1, { priority: 1, attempts: 5 });
      const later = await plain.add('later', 1, { delay: 60_000 });
      expect(await queue.readJob(low.id ?? '')).toMatchObject({ priority: 0 });
      expect(await queue.readJob(high.id ?? '')).toMatchObject({ priority: 9 });
      expect(await queue.readJob(later.id ?? '')).toMatchObject({ state: 'SCHEDULED' });
      const error = { name: 'Error', message: 'no', code: null, stack: null };
      const probe = await workshop.consume(queue.name, { perform: () => ({ kind: 'dead', error }) });
      expect((await probe.taken.take(2)).map(({ task }) => task)).toEqual(['high', 'low']);
      await probe.settled();
      // Whether to retry is the task's policy, not the producer's number of attempts.
      expect(await queue.readJob(high.id ?? '')).toMatchObject({ state: 'FAILURE', attempts: 1 });
    }),

    defineRule('a name with terminal control sequences comes back as it was written', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const name = '\u001b[31mred\u001b[0m\r\n\u202eevil "\'`;\\';
      const { id } = await workshop.plainQueue(queue.name).add(name, { text: name });
      const probe = await workshop.consume(queue.name, { perform: () => ({ kind: 'succeeded', result: name }) });
      expect(await probe.taken.next()).toMatchObject({ task: name, args: [{ text: name }] });
      await probe.settled();
      expect(await queue.readJob(id ?? '')).toMatchObject({ task: name, result: name });
    }),

    defineRule('__proto__ in arguments and headers stays data and pollutes nothing', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const args = JSON.parse('[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}]');
      const headers = JSON.parse('{"__proto__":"x"}');
      const job = newJob({ args, meta: { headers } });
      await queue.add(job);
      const probe = await consume(queue.name, { perform: (taken) => ({ kind: 'succeeded', result: taken.args[0] }) });
      const taken = await probe.taken.next();
      const [argument] = taken.args as [object];
      expect(Object.keys(argument).toSorted()).toEqual(['__proto__', 'constructor']);
      expect(Object.keys(taken.meta.headers ?? {})).toEqual(['__proto__']);
      await probe.settled();
      const stored = await queue.readJob(job.id);
      expect(Object.keys(stored?.result as object).toSorted()).toEqual(['__proto__', 'constructor']);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    }),

    defineRule('a plain BullMQ consumer reads what tq sends and tq reads its result', async (workshop) => {
      const queue = workshop.broker.queue(queueName());
      const job = newJob({ args: [2, 3], meta: { requestId: 'r' } });
      await queue.add(job);
      const seen = await workshop.plainWorker(queue.name, (data) => {
        const { args } = data as { args: [number, number] };
        return { sum: args[0] + args[1] };
      });
      expect(await seen.next()).toEqual({ args: [2, 3], meta: { requestId: 'r' } });
      expect(await queue.waitUntilFinished(job.id)).toBe(true);
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', result: { sum: 5 } });
    }),
  ],
};
