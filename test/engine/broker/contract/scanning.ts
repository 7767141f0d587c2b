import { expect } from 'vitest';
import type { JobScan } from '../../../../src/engine/broker/bulk-port.ts';
import type { BrokerQueue } from '../../../../src/engine/broker/port.ts';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { EXACT_NUMBERS } from '../../../../src/engine/core/query/query-path.ts';
import { parseJobQuery } from '../../../../src/engine/jobs/job-query.ts';
import { newJob, newJobs, queueName, type Workshop } from '../workshop.ts';
import { defineRule, type Subject } from './rule.ts';

const NO: Outcome = { kind: 'dead', error: { name: 'Error', message: 'no', code: null, stack: null } };
const PLACES = ['waiting', 'active', 'scheduled', 'blocked', 'dead', 'completed'] as const;

interface Scanned {
  readonly id: string;
}

/** The ids of all pages. @param between is called after each page but the last */
async function collect(
  pages: AsyncIterable<readonly Scanned[]>,
  between?: (page: readonly Scanned[], count: number) => unknown,
): Promise<string[]> {
  const ids: string[] = [];
  let count = 0;
  for await (const page of pages) {
    ids.push(...page.map(({ id }) => id));
    count += 1;
    await between?.(page, count);
  }
  return ids;
}

const idsOf = (jobs: readonly Scanned[]): string[] => jobs.map(({ id }) => id);
const sorted = (ids: Iterable<string>): string[] => [...ids].sort();

/** Each of these once, and none of the others twice. */
function expectAll(met: readonly string[], staying: readonly string[]): void {
  expect(new Set(met).size).toBe(met.length);
  const seen = new Set(met);
  expect(staying.filter((id) => !seen.has(id))).toEqual([]);
}

async function addMany(queue: BrokerQueue, count: number, fields: Parameters<typeof newJobs>[1] = {}) {
  const jobs = newJobs(count, fields);
  for (let at = 0; at < count; at += 500) await queue.addBulk(jobs.slice(at, at + 500));
  return idsOf(jobs);
}

/** Jobs that died, many of them in the same millisecond. */
async function addDead({ consume }: Workshop, queue: BrokerQueue, count: number): Promise<string[]> {
  const ids = await addMany(queue, count);
  const probe = await consume(queue.name, { concurrency: 50, perform: () => NO });
  await probe.taken.take(count);
  await probe.settled();
  await probe.stop();
  return ids;
}

const both = (scan: JobScan, queue: BrokerQueue) => [queue.bulk.scan(scan), queue.bulk.scanSummaries(scan)] as const;

export const scanning: Subject = {
  subject: 'scanning',
  rules: [
    defineRule('every place is scanned for what stands in it, whole and as summaries', async (workshop) => {
      const { broker, consume, gate, plainFlow } = workshop;
      const queue = broker.queue(queueName());
      const hold = gate<Outcome>();
      const [done, dead, held] = [newJob({ task: 'done' }), newJob({ task: 'dead' }), newJob({ task: 'held' })];
      await queue.addBulk([done, dead, held]);
      const probe = await consume(queue.name, {
        perform: ({ task }) =>
          task === 'held' ? hold.promise : task === 'dead' ? NO : { kind: 'succeeded', result: { x: 1 } },
      });
      await probe.taken.take(3);
      const waiting = newJob({ args: [{ to: 'ada' }], meta: { requestId: 'r' } });
      const scheduled = newJob({ delayMs: 60_000 });
      await queue.addBulk([waiting, scheduled]);
      const blocked = await plainFlow({
        name: 'parent',
        queueName: queue.name,
        children: [{ name: 'child', queueName: `${queue.name}-children` }],
      });
      const wanted = {
        waiting: [waiting.id],
        active: [held.id],
        scheduled: [scheduled.id],
        blocked: [blocked],
        dead: [dead.id],
        completed: [done.id],
      };
      for (const place of PLACES) {
        for (const pages of both({ places: [place] }, queue)) expect(await collect(pages)).toEqual(wanted[place]);
      }
      const all = await collect(queue.bulk.scan({ places: PLACES }));
      expect(all).toEqual([waiting.id, held.id, scheduled.id, blocked, dead.id, done.id]);
      for await (const page of queue.bulk.scan({ places: PLACES })) {
        for (const job of page) expect(job).toEqual(await queue.readJob(job.id));
      }
      hold.resolve({ kind: 'released' });
    }),

    defineRule('an empty queue and one that is not there have no pages', async ({ broker }) => {
      const queue = broker.queue(queueName());
      for (const pages of both({ places: PLACES }, queue)) expect(await collect(pages)).toEqual([]);
      expect(await broker.listQueues()).not.toContain(queue.name);
    }),

    defineRule(
      'a scan begins with what is first, or with what is last',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const waiting = await addMany(queue, 1200);
        const scheduled = idsOf([]);
        for (let at = 0; at < 3; at += 1)
          scheduled.push(...(await addMany(queue, 1, { delayMs: 600_000 + at * 1000 })));
        for (const pages of both({ places: ['waiting', 'scheduled'] }, queue))
          expect(await collect(pages)).toEqual([...waiting, ...scheduled]);
        const backwards = { places: ['waiting', 'scheduled'], from: 'last', pageSize: 100 } as const;
        for (const pages of both(backwards, queue))
          expect(await collect(pages)).toEqual([...waiting.toReversed(), ...scheduled.toReversed()]);
      },
      30_000,
    ),

    defineRule(
      'three thousand dead letters are each met once, however many died in the same millisecond',
      async (workshop) => {
        const queue = workshop.broker.queue(queueName());
        const ids = await addDead(workshop, queue, 3000);
        for (const from of ['first', 'last'] as const) {
          for (const pages of both({ places: ['dead'], from, pageSize: 7 * 37 }, queue))
            expect(sorted(await collect(pages))).toEqual(sorted(ids));
        }
      },
      60_000,
    ),

    defineRule(
      'what is removed between two pages leaves out nothing and repeats nothing',
      async (workshop) => {
        const { broker } = workshop;
        for (const from of ['first', 'last'] as const) {
          for (const every of [1, 2, 3]) {
            const queue = broker.queue(queueName());
            const ids = [...(await addMany(queue, 330)), ...(await addMany(queue, 330, { delayMs: 60_000 }))];
            const scan = { places: ['waiting', 'scheduled'], from, pageSize: 50 } as const;
            const met = await collect(queue.bulk.scanSummaries(scan), async (page) => {
              await Promise.all(page.filter((_, at) => at % every === 0).map(({ id }) => queue.removeJob(id)));
            });
            expect(sorted(met)).toEqual(sorted(ids));
          }
        }
      },
      60_000,
    ),

    defineRule(
      'whole pages that are removed after others that stay leave out nothing and repeat nothing',
      async ({ broker }) => {
        const queue = broker.queue(queueName());
        const ids = await addMany(queue, 3000);
        let count = 0;
        const met = await collect(queue.bulk.scanSummaries({ places: ['waiting'], pageSize: 250 }), async (page) => {
          count += 1;
          if (count % 3 !== 0) await Promise.all(page.map(({ id }) => queue.removeJob(id)));
        });
        expect(met).toEqual(ids);
      },
      60_000,
    ),

    defineRule(
      'workers that take jobs and producers that add some meanwhile leave out nothing that stays',
      async (workshop) => {
        const { broker, consume, gate } = workshop;
        for (const from of ['first', 'last'] as const) {
          const queue = broker.queue(queueName());
          const ids = await addMany(queue, 1500);
          // Nothing ends before the scan has begun, however quick the worker is.
          const hold = gate<typeof NO>();
          const probe = await consume(queue.name, { concurrency: 10, perform: () => hold.promise });
          let late = 0;
          const met = await collect(
            queue.bulk.scanSummaries({ places: ['waiting'], from, pageSize: 20 }),
            async (_, count) => {
              if (count === 1) hold.resolve(NO);
              if (count < 8) await probe.taken.next();
              if (count % 3 === 1) late += (await addMany(queue, 10)).length;
              if (count === 8) await probe.stop();
            },
          );
          await probe.stop();
          expect(late).toBeGreaterThan(0);
          const staying: string[] = [];
          for await (const page of queue.bulk.scanSummaries({ places: ['waiting'] })) staying.push(...idsOf(page));
          expectAll(
            met,
            staying.filter((id) => ids.includes(id)),
          );
        }
      },
      60_000,
    ),

    defineRule(
      'a job that dies again is not met again, so putting back what is met comes to an end',
      async (workshop) => {
        const { broker, consume } = workshop;
        const queue = broker.queue(queueName());
        const ids = await addDead(workshop, queue, 60);
        const probe = await consume(queue.name, { concurrency: 10, perform: () => NO });
        const met = await collect(queue.bulk.scanSummaries({ places: ['dead'], pageSize: 10 }), async (page) => {
          for (const { id } of page) await queue.reprocess(id);
          await probe.taken.take(page.length);
          await probe.settled();
        });
        expect(met.length).toBeGreaterThanOrEqual(ids.length);
        // The one that died last when the scan began may share its millisecond with one that has died again.
        expect(met.length).toBeLessThan(2 * ids.length);
        expect(sorted(new Set(met))).toEqual(sorted(ids));
      },
      30_000,
    ),

    defineRule('a filter leaves out no job that a query takes', async (workshop) => {
      const { broker, consume } = workshop;
      const queue = broker.queue(queueName());
      const tasks = ['email.send', 'Email.send', 'email_send', "o'clock", 'a[b]*', 'back\\slash', '100%', 'ünï'];
      const errors = ['connect ETIMEDOUT', 'Timeout', "it's 50% \\ done", 'über'];
      const jobs = tasks.flatMap((task) => errors.map((text) => newJob({ task, args: [text] })));
      await queue.addBulk([...jobs, newJob({ task: 'fine' })]);
      const probe = await consume(queue.name, {
        concurrency: 5,
        workerName: 'Worker-1',
        perform: ({ task, args: [message] }) =>
          task === 'fine'
            ? { kind: 'failed', error: { name: 'StepError', message: 'Timeout of a step', code: null, stack: null } }
            : {
                kind: 'dead',
                error: {
                  name: 'OddError',
                  message: String(message),
                  code: 'E_ODD',
                  stack: 'OddError: x\n    at f (a.js:1:1)',
                },
              },
      });
      await probe.taken.take(jobs.length + 1);
      await probe.settled();
      await probe.stop();
      const later = newJobs(3, { task: 'email.send' });
      await queue.addBulk(later);
      const now = Date.now() + 1000;
      const first = jobs[0]?.id ?? '';
      const queries = [
        ...tasks.map((task) => `task:"${task.replaceAll('\\', '\\\\')}"`),
        ...[
          'task:email*',
          'task:*send',
          'task:a[b]*',
          "task:o'*",
          'task:*%',
          'task:e?ail.send',
          'task~EMAIL',
          'task~Ü',
        ],
        ...[
          'error~timeout',
          'error~TIMEOUT',
          'error~"50% \\\\"',
          'error~oddError',
          'error~"OddError: c"',
          'error~über',
        ],
        ...[
          'error~steperror',
          '-error~timeout',
          '-task:email*',
          '-worker:worker-1',
          'worker:Worker-*',
          '-worker:Worker-1',
        ],
        ...[`id:${first}`, `-id:${first}`, `id:${first.slice(0, 5)}*`, 'attempts>=1', 'attempts:0', '-attempts>0'],
        ...[
          'age<1h',
          'age>1h',
          'finished<1h',
          '-finished<1h',
          'task:email* OR error~timeout',
          'task~email -error~timed',
        ],
      ];
      const all = [];
      for await (const page of queue.bulk.scan({ places: PLACES })) all.push(...page);
      for (const text of queries) {
        const { filter, matches } = parseJobQuery(text, now);
        const wanted = idsOf(all.filter((job) => matches(job)));
        for (const pages of both({ places: PLACES, ...(filter !== undefined && { filter }), pageSize: 10 }, queue)) {
          const met = await collect(pages);
          expect(new Set(met).size, text).toBe(met.length);
          expect(
            met.filter((id) => wanted.includes(id)),
            text,
          ).toEqual(wanted);
        }
      }
    }),

    defineRule(
      'queues of a plain BullMQ application are scanned: priorities, own ids, data of any kind',
      async (workshop) => {
        const { broker, plainQueue } = workshop;
        const queue = broker.queue(queueName());
        const plain = plainQueue(queue.name);
        const data = [{ to: 'ada@example.com' }, null, 7, 'text', [1], { args: 1 }];
        for (const [index, each] of data.entries()) {
          await plain.add('work', each, { jobId: `own-${index}`, ...(index % 2 === 1 && { priority: 10 - index }) });
        }
        await plain.add('head', 1, { jobId: 'head', lifo: true });
        await plain.pause();
        await plain.add('late', 1, { jobId: 'late' });
        const ids = ['head', 'own-0', 'own-2', 'own-4', 'late', 'own-5', 'own-3', 'own-1'];
        expect(await collect(queue.bulk.scan({ places: ['waiting'] }))).toEqual(ids);
        expect(await collect(queue.bulk.scanSummaries({ places: ['waiting'], pageSize: 2 }))).toEqual(ids);
        const { matches, needsData } = parseJobQuery('args.0.to=*@example.com', Date.now());
        expect(needsData).toBe(true);
        const taken: string[] = [];
        for await (const page of queue.bulk.scan({ places: ['waiting'] }))
          taken.push(...idsOf(page.filter((job) => matches(job))));
        expect(taken).toEqual(['own-0']);
      },
    ),

    defineRule('numbers that a double cannot hold are met as they were written', async ({ broker }) => {
      const queue = broker.queue(queueName());
      const argsJson = '[{"id":12345678901234567891,"small":1}]';
      await queue.add(newJob({ args: JSON.parse(argsJson), argsJson }));
      for await (const [job] of queue.bulk.scan({ places: ['waiting'] })) {
        expect(job?.[EXACT_NUMBERS]).toEqual(new Map([['args.0.id', '12345678901234567891']]));
        if (job === undefined) continue;
        expect(parseJobQuery('args.0.id:12345678901234567891', 0).matches(job)).toBe(true);
        expect(parseJobQuery('args.0.id:12345678901234567890', 0).matches(job)).toBe(false);
      }
    }),

    defineRule(
      'jobs with large arguments come in smaller pages, each of them once',
      async ({ broker }) => {
        const queue = broker.queue(queueName());
        const jobs = newJobs(6, { args: ['x'.repeat(2_500_000)] });
        for (const job of jobs) await queue.add(job);
        const sizes: number[] = [];
        const met = await collect(queue.bulk.scan({ places: ['waiting'] }), (page) => sizes.push(page.length));
        expect(met).toEqual(idsOf(jobs));
        // PostgreSQL stores such a text compressed, and what it says of its size is that.
        if (broker.kind !== 'postgres') expect(Math.max(...sizes)).toBeLessThanOrEqual(2);
      },
      30_000,
    ),
  ],
};
