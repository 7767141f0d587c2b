import { expect, test } from 'vitest';
import type { JobScan } from '../../src/engine/broker/bulk-port.ts';
import { selectJobs } from '../../src/ops/job-selection.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const DEAD = { state: 'FAILURE', finishedAt: 1 } as const;

const createBroker = () =>
  new FakeBroker()
    .store('a', { id: 'a1', args: [{ to: 'ada' }] }, { id: 'a2', ...DEAD }, { id: 'a3', state: 'SCHEDULED', dueAt: 5 })
    .store('b', { id: 'b1', ...DEAD, args: [{ to: 'ada' }] }, { id: 'b2', task: 'image.resize', ...DEAD });

async function select(fake: FakeBroker, where?: string, options?: Parameters<typeof selectJobs>[2]) {
  const found: string[] = [];
  for await (const { queue, place, jobs } of selectJobs(createFakeSession(fake), where ? { where } : {}, options)) {
    found.push(`${queue} ${place}: ${jobs.map(({ id }) => id).join()}`);
  }
  return found;
}

/** Which scans were asked for: `queue kind places`. The double makes summaries of what it scans whole. */
function spyOn(fake: FakeBroker): string[] {
  const scans: string[] = [];
  for (const [name, { bulk }] of fake.queues) {
    for (const kind of ['scan', 'scanSummaries'] as const) {
      const scan = bulk[kind].bind(bulk) as (given: JobScan) => AsyncIterable<never>;
      bulk[kind] = (given) => {
        scans.push(`${name} ${kind} ${given.places.join()}`);
        return scan(given);
      };
    }
  }
  return scans;
}

test('the jobs of all queues, by queue and place', async () => {
  expect(await select(createBroker())).toEqual([
    ...['a waiting: a1', 'a scheduled: a3', 'a dead: a2'],
    'b dead: b1,b2',
  ]);
  expect(await select(createBroker(), 'task:email.*')).toEqual([
    ...['a waiting: a1', 'a scheduled: a3', 'a dead: a2', 'b dead: b1'],
  ]);
  expect(await select(createBroker(), 'args.0.to:ada')).toEqual(['a waiting: a1', 'b dead: b1']);
});

test('only places and queues that the query and the caller allow are scanned, whole jobs only when it needs them', async () => {
  const fake = createBroker();
  const scans = spyOn(fake);
  expect(await select(fake, 'state:dead queue:b')).toEqual(['b dead: b1,b2']);
  expect(scans.splice(0)).toEqual(['b scanSummaries dead', 'b scan dead']);
  expect(await select(fake, 'args.0.to:ada', { places: ['waiting'] })).toEqual(['a waiting: a1']);
  expect(scans.splice(0)).toEqual(['a scan waiting', 'b scan waiting']);
});

test('a query that names its queues does not list all of them', async () => {
  const fake = createBroker();
  fake.listQueues = () => Promise.reject(new Error('it was listed'));
  expect(await select(fake, 'state:dead (queue:b OR queue:"a")')).toEqual(['b dead: b1,b2', 'a dead: a2']);
  await expect(select(fake, 'queue:a*')).rejects.toThrow('it was listed');
  await expect(select(fake, '-queue:b')).rejects.toThrow('it was listed');
});

test('it ends between two pages when it is asked to, and at once with a query that cannot be read', async () => {
  const ending = new AbortController();
  const found: string[] = [];
  const pages = selectJobs(createFakeSession(createBroker()), {}, { signal: ending.signal });
  for await (const { jobs } of pages) {
    found.push(...jobs.map(({ id }) => id));
    ending.abort();
  }
  expect(found).toEqual(['a1']);
  await expect(select(createBroker(), 'stat:dead')).rejects.toMatchObject({ code: 'INVALID_QUERY' });
});
