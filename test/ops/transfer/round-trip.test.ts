import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { PLACES } from '../../../src/engine/jobs/job-place.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { execute } from '../../../src/ops/gate.ts';
import { importJobs } from '../../../src/ops/import-jobs.ts';
import type { Session } from '../../../src/ops/session.ts';
import { exportLines } from '../../../src/ops/transfer/export-lines.ts';
import { OutputFile } from '../../../src/ops/transfer/output-file.ts';
import { createStore, openWorkshop, type Workshop } from '../../engine/broker/workshop.ts';
import { type BrokerUnderTest, brokersUnderTest } from '../../support/brokers.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { comparable, createTestApp, fillStore, readAll, startTestWorker } from './every-kind-of-job.ts';

const brokers = brokersUnderTest();
const pairs = brokers.flatMap((from) => brokers.map((to) => ({ from, to, title: `from ${from.name} to ${to.name}` })));

const workshops: Workshop[] = [];
afterEach(async () => {
  for (const workshop of workshops.splice(0).reverse()) await workshop.close();
});

async function open(underTest: BrokerUnderTest): Promise<{ url: string; workshop: Workshop }> {
  const url = await createStore(underTest);
  const workshop = await openWorkshop(underTest.name, url);
  workshops.push(workshop);
  return { url, workshop };
}

function sessionOf(broker: Broker): Session {
  const none = async (): Promise<never> => {
    throw new Error('nobody asks for it here');
  };
  return { broker: async () => broker, results: async () => undefined, app: none, clock: systemClock };
}

async function exportAll(broker: Broker, path: string): Promise<number> {
  const file = await OutputFile.create(path, { force: false });
  const options = { command: 'jobs export', places: PLACES, onLeftOut: (id: string) => expect.unreachable(id) };
  let jobs = 0;
  for await (const page of exportLines(sessionOf(broker), { all: true }, options)) {
    await file.write(page.text);
    jobs += page.jobs;
  }
  await file.finish();
  return jobs;
}

describe.each(pairs)('$title', ({ from, to }) => {
  test('jobs of every place arrive as they were, twice changes nothing, and a chord that was half done ends', async () => {
    const source = await open(from);
    const target = await open(to);
    const workflow = await fillStore(source.workshop, source.url);
    const before = await readAll(source.workshop.broker);
    const path = join(createFolderOfRun('export'), 'all.ndjson.gz');
    expect(await exportAll(source.workshop.broker, path)).toBe(before.length);

    const { broker } = target.workshop;
    const run = () => execute(importJobs, { file: path }, { session: sessionOf(broker), yes: true });
    expect(await run()).toMatchObject({
      result: { matched: before.length, imported: before.length, present: 0, failed: [], stopped: null },
    });
    expect(comparable(await readAll(broker))).toEqual(comparable(before));
    expect(await broker.queue('first').hasPriorities(true)).toBe(true);
    expect(await run()).toMatchObject({ result: { imported: 0, present: before.length, failed: [] } });
    expect(comparable(await readAll(broker))).toEqual(comparable(before));

    const app = createTestApp(target.workshop, target.url);
    await startTestWorker(target.workshop, app, ['default', 'late']);
    expect(await app.result(workflow).get({ timeout: 15_000 })).toBe(433);
  });
});
