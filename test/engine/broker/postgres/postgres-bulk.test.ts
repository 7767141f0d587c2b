import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobRecord } from '../../../../src/engine/core/job-record.ts';
import { brokersUnderTest } from '../../../support/brokers.ts';
import { createStore, newJob, newJobs, openWorkshop, queueName, type Workshop } from '../workshop.ts';

const underTest = brokersUnderTest().find(({ name }) => name === 'postgres');

describe.skipIf(underTest === undefined)('jobs in bulk on PostgreSQL', () => {
  let workshop: Workshop;
  beforeEach(async () => {
    if (underTest === undefined) return;
    workshop = await openWorkshop('postgres', await createStore(underTest));
  });
  afterEach(() => workshop.close());

  test('a record that PostgreSQL cannot store is refused alone, and says why', async () => {
    const queue = workshop.broker.queue(queueName());
    const jobs = newJobs(5);
    await queue.addBulk(jobs);
    const ids = jobs.map(({ id }) => id);
    const [fine, nul, text, priority, last] = (await queue.bulk.readRecords(ids)) as [JobRecord, ...JobRecord[]];
    await queue.bulk.remove(ids, ['waiting']);
    const records = [
      fine,
      { ...nul, data: '{"args":["\\u0000"],"meta":{}}' },
      { ...text, data: 'no JSON' },
      { ...priority, priority: 2 ** 40 },
      last,
    ] as JobRecord[];
    const refused = (reason: RegExp) => ({ kind: 'refused', reason: expect.stringMatching(reason) });
    expect(await queue.bulk.restore(records)).toMatchObject([
      { kind: 'restored' },
      refused(/^PostgreSQL cannot store it: .*Unicode/),
      refused(/json/),
      refused(/integer/),
      { kind: 'restored' },
    ]);
    expect(await queue.counts()).toMatchObject({ waiting: 2 });
  });

  test('ids that PostgreSQL cannot hold are not there', async () => {
    const queue = workshop.broker.queue(queueName());
    const job = newJob();
    await queue.add(job);
    const ids = ['a\0b', job.id];
    expect((await queue.bulk.readRecords(ids)).map(({ id }) => id)).toEqual([job.id]);
    expect(await queue.bulk.move(ids, queueName(), ['dead'])).toEqual([]);
    expect(await queue.bulk.promote(ids)).toEqual([]);
    expect(await queue.bulk.reprocess(ids.map((id) => ({ id })))).toEqual([]);
    expect(await queue.bulk.rewrite(ids.map((id) => ({ id, priority: 3 })))).toEqual([job.id]);
    expect(await queue.bulk.remove(ids, ['waiting'])).toEqual([job.id]);
  });
});
