import { beforeAll, describe, expect, test } from 'vitest';
import type { JobRecord } from '../../../src/engine/core/job-record.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { createLiveBench, createStore } from './live-app.ts';
import { registerTasks } from './live-tasks.ts';

const HOUR_MS = 3_600_000;

describe.each(brokersUnderTest())('an app that says nothing about it, on $name', (store) => {
  let url: string;
  beforeAll(async () => {
    url = await createStore(store);
  });

  test('keeps results for a day, and dead letters for ever', async () => {
    const bench = createLiveBench(url);
    try {
      const app = bench.createApp();
      const { add, broken } = registerTasks(app);
      const worker = await bench.startWorker(app);
      const [dayOld, younger, dead] = [await add.delay(1, 1), await add.delay(2, 2), await broken.delay('it')];
      await Promise.all([dayOld.get({ timeout: '10s' }), younger.get({ timeout: '10s' })]);
      await waitFor('the dead letter', async () => (await dead.state()) === 'FAILURE');
      await worker.stop();
      // They are put back as jobs of another day.
      const queue = (await app.broker()).queue(bench.queue);
      const agesMs = { [dayOld.id]: 25 * HOUR_MS, [younger.id]: 23 * HOUR_MS, [dead.id]: 365 * 24 * HOUR_MS };
      const ids = Object.keys(agesMs);
      const records = (await queue.bulk.readRecords(ids)).map((record) => age(record, agesMs[record.id] ?? 0));
      expect(await queue.bulk.remove(ids, ['completed', 'dead'])).toHaveLength(3);
      expect((await queue.bulk.restore(records)).map(({ kind }) => kind)).toEqual(Array(3).fill('restored'));
      expect(await queue.counts()).toMatchObject({ completed: 2, dead: 1 });
      await bench.startWorker(app);
      await (await add.delay(3, 3)).get({ timeout: '10s' });
      expect(await queue.readJob(dayOld.id)).toBeUndefined();
      expect(await queue.readJob(younger.id)).toMatchObject({ state: 'SUCCESS', result: 4 });
      expect(await queue.readJob(dead.id)).toMatchObject({ state: 'FAILURE' });
    } finally {
      await bench.close();
    }
  });
});

function age({ rank: _, ...record }: JobRecord, ms: number): JobRecord {
  const earlier = (at: number | null): number | null => (at === null ? null : at - ms);
  const { createdAt, startedAt, finishedAt } = record;
  return { ...record, createdAt: createdAt - ms, startedAt: earlier(startedAt), finishedAt: earlier(finishedAt) };
}
