import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Broker } from '../../../../src/engine/broker/port.ts';
import { chain, group } from '../../../../src/engine/canvas/constructs.ts';
import {
  createDeadLetterRetention,
  type DeadLetterLimits,
} from '../../../../src/engine/worker/dead-letters/dead-letter-retention.ts';
import type { LeasedChore } from '../../../../src/engine/worker/leased-chore.ts';
import { brokersUnderTest } from '../../../support/brokers.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { createLiveBench } from '../../app/live-app.ts';
import { registerTasks } from '../../app/live-tasks.ts';
import { byTask, createFamily, DEAD } from '../../broker/contract/family.ts';
import { createStore, newJob, newJobs, openWorkshop, queueName, type Workshop } from '../../broker/workshop.ts';
import { createFakeClock, recordLog } from '../recorded.ts';

const HOUR_MS = 3_600_000;

describe.each(brokersUnderTest())('dead letters on $name', (store) => {
  let url: string;
  let workshop: Workshop;
  let chores: LeasedChore[];
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(async () => {
    workshop = await openWorkshop(store.name, url);
    chores = [];
  });
  afterEach(async () => {
    await Promise.all(chores.map((chore) => chore.stop()));
    await workshop.close();
  });

  /** Workers' work on a queue, each look at once after the other, `laterMs` from now. */
  const startKeeping = (queue: string, limits: Partial<DeadLetterLimits>, laterMs = 0) => {
    const log = recordLog();
    /** Resolves when a look that began after the call has ended: the next one begins then. */
    const looked = async (): Promise<void> => {
      const from = looks;
      await waitFor('two looks', () => looks > from + 1);
    };
    let looks = 0;
    const chore = createDeadLetterRetention({
      broker: workshop.broker,
      clock: createFakeClock(Date.now() + laterMs),
      logger: log.logger,
      worker: 'tq@test',
      listQueues: () => {
        looks += 1;
        return [queue];
      },
      everyMs: 1,
      maxAgeMs: undefined,
      maxCount: undefined,
      ...limits,
    });
    chores.push(chore);
    chore.start();
    return { log, looked };
  };

  /** A queue with so many dead letters, the one that died first first. */
  const createDead = async (count: number): Promise<{ name: string; listIds: () => Promise<string[]> }> => {
    const name = queueName();
    const queue = workshop.broker.queue(name);
    await queue.addBulk(newJobs(count));
    const probe = await workshop.consume(name, { perform: () => DEAD });
    await probe.taken.take(count);
    await probe.settled();
    const listIds = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const page of queue.bulk.scanSummaries({ places: ['dead'] })) ids.push(...page.map(({ id }) => id));
      return ids;
    };
    return { name, listIds };
  };

  const untilDead = (broker: Broker, name: string, count: number) =>
    waitFor(`${count} dead letters to be left`, async () => (await broker.queue(name).counts()).dead === count);

  test('of a queue with too many, the oldest go and the log says how many', async () => {
    const { name, listIds } = await createDead(120);
    const before = await listIds();
    const { log } = startKeeping(name, { maxCount: 3 });
    await untilDead(workshop.broker, name, 3);
    expect(await listIds()).toEqual(before.slice(-3));
    await waitFor('the log', () => log.lines.length > 0);
    expect(log.lines).toEqual([
      expect.objectContaining({ level: 'INFO', queue: name, removed: 117, max_count: 3, max_age_ms: null }),
    ]);
  });

  test('those that are too old go, and younger ones stay', async () => {
    const [young, old] = [await createDead(2), await createDead(2)];
    const { looked } = startKeeping(young.name, { maxAgeMs: 2 * HOUR_MS }, HOUR_MS);
    startKeeping(old.name, { maxAgeMs: HOUR_MS }, 2 * HOUR_MS);
    await untilDead(workshop.broker, old.name, 0);
    await looked();
    expect(await young.listIds()).toHaveLength(2);
  });

  test('jobs that are no dead letters are nothing to it', async () => {
    const { name } = await createDead(1);
    const waiting = newJob();
    await workshop.broker.queue(name).pause();
    await workshop.broker.queue(name).add(waiting);
    startKeeping(name, { maxCount: 0, maxAgeMs: HOUR_MS }, 2 * HOUR_MS);
    await untilDead(workshop.broker, name, 0);
    expect(await workshop.broker.queue(name).readJob(waiting.id)).toMatchObject({ id: waiting.id });
  });

  test('one that a job waits for stays until that job has ended', async () => {
    const family = createFamily(workshop.broker, [{ task: 'die' }, { task: 'live', delayMs: 600_000 }]);
    const { queue, jobs, parent, children } = family;
    await workshop.broker.addFlow(jobs);
    const probe = await workshop.consume(queue.name, { perform: (job) => byTask(job) });
    await probe.taken.next();
    await probe.settled();
    const stranger = newJob({ task: 'die' });
    await queue.add(stranger);
    await probe.taken.next();
    await probe.settled();
    startKeeping(queue.name, { maxCount: 0 });
    await untilDead(workshop.broker, queue.name, 1);
    expect(await queue.readJob(stranger.id)).toBeUndefined();
    expect(await queue.readJob(children[0]?.id ?? '')).toMatchObject({ state: 'FAILURE' });
    expect(await queue.readJob(parent.id)).toMatchObject({ state: 'BLOCKED' });
    await queue.promoteToHead([children[1]?.id ?? '']);
    await untilDead(workshop.broker, queue.name, 0);
    expect(await queue.readJob(parent.id)).toMatchObject({ state: 'SUCCESS' });
  });

  test('a step stays while its workflow runs, though the group around it has ended', async () => {
    const bench = createLiveBench(url);
    try {
      const app = bench.createApp();
      const { add, broken, sleep } = registerTasks(app);
      const inner = chain(group([broken.s('it'), add.s(1, 2)]), sleep.si(0));
      const sent = await group([inner, sleep.s(0).set({ countdown: '1h' })]).delay();
      await bench.startWorker(app);
      const queue = workshop.broker.queue(bench.queue);
      const listDead = async (): Promise<string[]> => {
        const tasks: string[] = [];
        for await (const page of queue.bulk.scanSummaries({ places: ['dead'] }))
          tasks.push(...page.map(({ task }) => task));
        return tasks;
      };
      // The group has failed with its member: nothing of it waits or runs.
      await waitFor('the group to fail', async () => (await listDead()).length > 1);
      const dead = (await listDead()).sort();
      expect(dead).toContain('broken');
      const { looked } = startKeeping(bench.queue, { maxCount: 0 });
      await looked();
      expect((await listDead()).sort()).toEqual(dead);
      await sent.revoke();
      await untilDead(workshop.broker, bench.queue, 0);
    } finally {
      await bench.close();
    }
  });
});
