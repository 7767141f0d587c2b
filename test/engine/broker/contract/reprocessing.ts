import { expect } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import { newJob, queueName, SUCCEEDED } from '../workshop.ts';
import { byTask, createFamily, DEAD, ERROR, NO_CHILDREN, statesOf } from './family.ts';
import { defineRule, type Subject } from './rule.ts';

const REVOCATION = { at: Date.parse('2031-05-01T12:00:00Z'), by: 'ada@box' };
const HOUR_MS = 3_600_000;
const FRESH = { attempts: 1, timesTaken: 1, workersLost: 0, revoked: undefined };

export const reprocessing: Subject = {
  subject: 'reprocessing',
  rules: [
    defineRule(
      'a dead letter that runs again has all its attempts, and keeps its stacks',
      async ({ broker, consume }) => {
        const queue = broker.queue(queueName());
        const job = newJob();
        await queue.add(job);
        const ends: Outcome[] = [
          { kind: 'lost', delayMs: 0, error: ERROR },
          { kind: 'retry', delayMs: 0, error: ERROR },
          DEAD,
        ];
        const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
        expect((await probe.taken.take(3)).map(({ isPutBack }) => isPutBack)).toEqual([false, false, false]);
        await probe.settled();
        expect(await queue.readJob(job.id)).toMatchObject({ state: 'FAILURE', attempts: 2, workersLost: 1 });
        await probe.stop();
        expect(await queue.reprocess(job.id)).toBe(true);
        const stacks = [expect.any(String), expect.any(String), expect.any(String)];
        const waiting = {
          state: 'PENDING',
          attempts: 0,
          workersLost: 0,
          error: null,
          startedAt: null,
          finishedAt: null,
        };
        expect(await queue.readJob(job.id)).toMatchObject({ ...waiting, stacks });
        expect(await queue.counts()).toMatchObject({ waiting: 1, dead: 0 });
        const again = await consume(queue.name);
        expect(await again.taken.next()).toMatchObject({ id: job.id, ...FRESH, stacks, isPutBack: true });
        await again.settled();
        expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', attempts: 1, error: null });
      },
    ),

    defineRule('a job that was completed runs again, and what it gave is forgotten', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      const ends: Outcome[] = [
        { kind: 'retry', delayMs: 0, error: ERROR },
        { kind: 'failed', error: ERROR },
        { kind: 'succeeded', result: 2 },
      ];
      const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      await probe.taken.take(2);
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'FAILURE', attempts: 2, error: { code: 'ERR_X' } });
      await queue.pause();
      expect(await queue.reprocess(job.id)).toBe(true);
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'PENDING', attempts: 0, error: null, result: null });
      await queue.resume();
      expect(await probe.taken.next()).toMatchObject({ id: job.id, ...FRESH });
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS', result: 2 });
    }),

    defineRule(
      'a job that is no dead letter any more is left alone, where only dead letters are meant',
      async (workshop) => {
        const { broker, consume } = workshop;
        const queue = broker.queue(queueName());
        const [dead, fine] = [newJob({ task: 'dead' }), newJob()];
        await queue.addBulk([dead, fine]);
        const error = { name: 'Error', message: 'no', code: null, stack: null };
        const probe = await consume(queue.name, {
          perform: ({ task }) => (task === 'dead' ? { kind: 'dead', error } : { kind: 'succeeded', result: 7 }),
        });
        await probe.taken.take(2);
        await probe.settled();
        await probe.stop();
        expect(await queue.reprocess(fine.id, { onlyDead: true })).toBe(false);
        expect(await queue.readJob(fine.id)).toMatchObject({ state: 'SUCCESS', result: 7 });
        expect(await queue.reprocess(dead.id, { onlyDead: true })).toBe(true);
        expect(await queue.readJob(dead.id)).toMatchObject({ state: 'PENDING', error: null });
      },
    ),

    defineRule('a revoked job that runs again is revoked no more', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      const job = newJob();
      await queue.add(job);
      await queue.revoke([job.id], REVOCATION);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.next();
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'REVOKED' });
      expect(await queue.reprocess(job.id)).toBe(true);
      expect(await probe.taken.next()).toMatchObject({ id: job.id, ...FRESH });
      await probe.settled();
      expect(await queue.readJob(job.id)).toMatchObject({ state: 'SUCCESS' });
    }),

    defineRule('a job that has not finished, or is not there, is left alone', async ({ broker, consume, gate }) => {
      const queue = broker.queue(queueName());
      const [waiting, later, running] = [newJob(), newJob({ delayMs: HOUR_MS }), newJob()];
      await queue.add(running);
      const hold = gate<Outcome>();
      const probe = await consume(queue.name, { perform: () => hold.promise });
      await probe.taken.next();
      const { jobs, parent, queue: other } = createFamily(broker, [{}]);
      await broker.addFlow(jobs);
      await queue.addBulk([waiting, later]);
      await queue.revoke([running.id, later.id], REVOCATION);
      const asked = [waiting.id, later.id, running.id, 'nobody'].map((id) => queue.reprocess(id));
      expect(await Promise.all([...asked, other.reprocess(parent.id)])).toEqual([false, false, false, false, false]);
      expect(await queue.listBriefs([running.id])).toMatchObject([{ phase: 'active', revoked: REVOCATION }]);
      expect(await statesOf(other, [parent])).toEqual(['BLOCKED']);
      hold.resolve(SUCCEEDED);
    }),

    defineRule('a job that several put back at once is put back once', async ({ broker, consume, openBroker }) => {
      const queue = broker.queue(queueName());
      const job = newJob({ task: 'die' });
      await queue.add(job);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.next();
      await probe.settled();
      await queue.pause();
      const other = (await openBroker()).queue(queue.name);
      const answers = await Promise.all([queue, other, queue, other].map((each) => each.reprocess(job.id)));
      expect(answers.filter(Boolean)).toEqual([true]);
      expect(await queue.counts()).toMatchObject({ waiting: 1, dead: 0, completed: 0 });
    }),

    defineRule('a job with a priority keeps it when it runs again', async ({ broker, consume }) => {
      const queue = broker.queue(queueName());
      await queue.enablePriorities();
      const [dead, other] = [newJob({ task: 'die', priority: 9 }), newJob({ priority: 5 })];
      await queue.add(dead);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.next();
      await probe.settled();
      await queue.pause();
      await queue.add(other);
      expect(await queue.reprocess(dead.id)).toBe(true);
      await queue.resume();
      expect((await probe.taken.take(2)).map(({ id }) => id)).toEqual([dead.id, other.id]);
    }),

    ...(['wait', 'start'] as const).map((onDead) =>
      defineRule(
        `a dead child that runs again is waited for again by a parent that is to ${onDead}`,
        async (workshop) => {
          const { broker, consume } = workshop;
          const { queue, parent, children, jobs } = createFamily(broker, [{ task: 'die' }, { delayMs: HOUR_MS }], {
            onDead,
          });
          const [child = newJob(), later = newJob()] = children;
          await broker.addFlow(jobs);
          let isMended = false;
          const probe = await consume(queue.name, {
            perform(job) {
              if (job.task === 'parent' && !isMended) return { kind: 'blocked' };
              return isMended ? { kind: 'succeeded', result: 'mended' } : byTask(job);
            },
          });
          await probe.taken.take(onDead === 'start' ? 2 : 1);
          await probe.settled();
          expect(await queue.readChildren(parent.id)).toMatchObject({
            pending: 1,
            dead: new Map([[child.id, 'cannot read']]),
          });
          await queue.pause();
          expect(await queue.reprocess(child.id)).toBe(true);
          expect(await queue.readChildren(parent.id)).toEqual({ ...NO_CHILDREN, pending: 2 });
          isMended = true;
          await queue.resume();
          await probe.taken.next();
          await probe.settled();
          // Its second end is the first that counts: the parent still waits for the other one.
          expect(await statesOf(queue, [parent, child])).toEqual(['BLOCKED', 'SUCCESS']);
          expect((await queue.readChildren(parent.id)).pending).toBe(1);
          await queue.promoteToHead([later.id]);
          await probe.taken.take(2);
          await probe.settled();
          const mended = { state: 'SUCCESS', value: 'mended' };
          expect(await queue.readChildren(parent.id)).toEqual({
            ...NO_CHILDREN,
            ended: new Map([child, later].map(({ id }) => [id, mended])),
          });
          expect(await statesOf(queue, [parent])).toEqual(['SUCCESS']);
        },
      ),
    ),

    defineRule('a parent that failed waits for a child that is put back with it', async ({ broker, consume }) => {
      const { queue, parent, children, jobs } = createFamily(broker, [{ task: 'die' }], { onDead: 'start' });
      const [child = newJob()] = children;
      await broker.addFlow(jobs);
      const ends: Outcome[] = [DEAD, DEAD, { kind: 'blocked' }];
      const probe = await consume(queue.name, { perform: () => ends.shift() ?? SUCCEEDED });
      await probe.taken.take(2);
      await probe.settled();
      expect(await statesOf(queue, [child, parent])).toEqual(['FAILURE', 'FAILURE']);
      await queue.pause();
      expect(await queue.reprocess(parent.id)).toBe(true);
      expect(await queue.reprocess(child.id)).toBe(true);
      await queue.resume();
      const taken = await probe.taken.take(3);
      expect(taken.map(({ id }) => id)).toEqual([parent.id, child.id, parent.id]);
      await probe.settled();
      expect(await statesOf(queue, [child, parent])).toEqual(['SUCCESS', 'SUCCESS']);
    }),

    defineRule('a parent whose children have ended runs again with what they came to', async ({ broker, consume }) => {
      const { queue, parent, jobs } = createFamily(broker, [{ args: [1] }]);
      await broker.addFlow(jobs);
      const probe = await consume(queue.name, { perform: byTask });
      await probe.taken.take(2);
      await probe.settled();
      const children = await queue.readChildren(parent.id);
      expect(await queue.reprocess(parent.id)).toBe(true);
      expect(await probe.taken.next()).toMatchObject({ id: parent.id, ...FRESH });
      expect(await queue.readChildren(parent.id)).toEqual(children);
    }),
  ],
};
