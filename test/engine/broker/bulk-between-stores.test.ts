import { afterEach, describe, expect, test } from 'vitest';
import type { JobRecord } from '../../../src/engine/core/job-record.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { byTask, createFamily, NO_CHILDREN } from './contract/family.ts';
import { comparable, fillQueue } from './contract/filled-queue.ts';
import { createStore, newJob, openWorkshop, type Workshop } from './workshop.ts';

/** What a job that is carried to another store keeps: JSON may be written in another way there. */
function carried(records: readonly JobRecord[]): unknown[] {
  const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
  return comparable(records).map(({ data, result, progress, children, ...record }) => ({
    ...record,
    data: parse(data),
    // BullMQ starts every job of Redis with the progress 0.
    progress: parse(progress) ?? 0,
    result: parse(result),
    children: children.map(({ end, value, ...child }) => ({
      ...child,
      end,
      value: end === 'done' ? parse(value) : value,
    })),
  }));
}

const brokers = brokersUnderTest();
const pairs = brokers.flatMap((from) => brokers.filter((to) => to !== from).map((to) => ({ from, to })));

describe.each(pairs)('from $from.name to $to.name', ({ from, to }) => {
  const workshops: Workshop[] = [];
  afterEach(async () => {
    for (const workshop of workshops.splice(0)) await workshop.close();
  });

  async function openBoth(): Promise<[Workshop, Workshop]> {
    for (const each of [from, to]) workshops.push(await openWorkshop(each.name, await createStore(each)));
    return workshops as [Workshop, Workshop];
  }

  test('jobs of every end are carried with all that is known of them', async () => {
    const [source, target] = await openBoth();
    const { queue, ids } = await fillQueue(source);
    const records = comparable(await queue.bulk.readRecords(ids)) as JobRecord[];
    const there = target.broker.queue(queue.name);
    const answers = await there.bulk.restore(records);
    expect(answers).toEqual(ids.map((id) => ({ id, kind: 'restored' })));
    expect(carried(await there.bulk.readRecords(ids))).toEqual(carried(records));
    expect(await there.counts()).toEqual(await queue.counts());
    for (const id of ids) expect(await there.readJob(id)).toEqual(await queue.readJob(id));
    const unique = newJob({ task: 'unique', unique: { key: 'unique 1' } });
    expect(await there.add(unique)).not.toBe(unique.id);
  });

  test('a family is carried, and its parent runs after its children', async () => {
    const [source, target] = await openBoth();
    const { queue, parent, children, jobs } = createFamily(source.broker, [
      { args: [1] },
      { task: 'die' },
      { args: [3] },
    ]);
    await source.broker.addFlow(jobs);
    const probe = await source.consume(queue.name, { perform: byTask });
    await probe.taken.next();
    await probe.stop();
    const ids = [parent, ...children].map(({ id }) => id);
    const records = comparable(await queue.bulk.readRecords(ids)) as JobRecord[];
    const there = target.broker.queue(queue.name);
    for (const record of records.toReversed()) {
      expect(await there.bulk.restore([record])).toEqual([{ id: record.id, kind: 'restored' }]);
    }
    const last = await target.consume(queue.name, { perform: byTask });
    for (let taken = await last.taken.next(); taken.id !== parent.id; ) taken = await last.taken.next();
    await last.settled();
    const [first, dead, third] = children.map(({ id }) => id);
    expect(await there.readChildren(parent.id)).toEqual({
      ...NO_CHILDREN,
      ended: new Map([
        [first, { state: 'SUCCESS', value: 1 }],
        [third, { state: 'SUCCESS', value: 3 }],
      ]),
      dead: new Map([[dead, 'cannot read']]),
    });
  });
});
