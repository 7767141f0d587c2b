import { afterEach, expect, test } from 'vitest';
import { parseFiringId } from '../../src/engine/core/schedule/firing.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { Schedules } from '../../src/engine/schedule/schedules.ts';
import { cancelJobs } from '../../src/ops/cancel-jobs.ts';
import { execute } from '../../src/ops/gate.ts';
import { createStore, openWorkshop, type Workshop } from '../engine/broker/workshop.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { define } from '../support/entry-definitions.ts';
import { KeptJobs } from './kept-jobs.ts';

const workshops: Workshop[] = [];
afterEach(async () => {
  for (const workshop of workshops.splice(0)) await workshop.close();
});

test.each(brokersUnderTest())('on $name the next firing of an entry stays, and the entry is named', async (store) => {
  const workshop = await openWorkshop(store.name, await createStore(store));
  workshops.push(workshop);
  const { broker } = workshop;
  const schedules = new Schedules({ broker, clock: systemClock });
  const { nextAt } = await schedules.add('nightly', define({ cron: '0 3 1 1 *' }));
  await workshop.plainQueue('default').upsertJobScheduler('theirs', { every: 3_600_000 });
  const queue = broker.queue('default');
  const ids: string[] = [];
  for await (const page of queue.bulk.scanIds({ places: ['scheduled', 'waiting'] })) ids.push(...page);
  const none = async (): Promise<never> => expect.fail('nobody asks for it here');
  const session = { broker: async () => broker, results: async () => undefined, app: none, clock: systemClock };
  const done = await execute(cancelJobs, { ids }, { session, yes: true, createKeeper: () => new KeptJobs() });
  const result = done.kind === 'done' ? done.result : expect.fail('it was only planned');
  expect(result).toMatchObject({ matched: 2, changed: 0 });
  const said = new Map(result.failed.map(({ id, message }) => [parseFiringId(id, 'nightly') ?? 'theirs', message]));
  expect(said.get(nextAt ?? 0)).toContain('entry "nightly"; `tq schedule pause nightly` takes it away');
  expect(said.get('theirs')).toContain('entry "theirs"; `tq schedule remove theirs` takes it away');
});
