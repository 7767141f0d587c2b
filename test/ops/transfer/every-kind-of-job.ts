import { expect } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { chord, group } from '../../../src/engine/canvas/constructs.ts';
import type { JobRecord } from '../../../src/engine/core/job-record.ts';
import { PLACES } from '../../../src/engine/jobs/job-place.ts';
import { createLogger } from '../../../src/engine/runtime/logger.ts';
import { newJob, type Workshop } from '../../engine/broker/workshop.ts';
import { waitFor } from '../../support/wait-for.ts';

const HOUR_MS = 3_600_000;

/** An app whose tasks are in three queues: a worker that serves one of them leaves work for another day. */
export function createTestApp(workshop: Workshop, url: string): App {
  const app = createApp({ broker: url, builtins: false }, { env: {} });
  workshop.afterwards(() => app.close());
  app.task('add', (...numbers: number[]) => numbers.flat().reduce((sum, number) => sum + number, 0));
  app.task('late', { queue: 'late' }, (number: number) => number);
  app.task('sum', { queue: 'late' }, (numbers: number[], more: number) => numbers.reduce((a, b) => a + b, more));
  app.task('bad', { retry: false }, () => {
    throw new TypeError('cannot read 17 of undefined');
  });
  return app;
}

export async function startTestWorker(workshop: Workshop, app: App, queues: readonly string[]): Promise<void> {
  const { log: logger } = createLogger({ level: 'silent', destination: 2 });
  const worker = await app.createWorker({ concurrency: 4, logger, remoteControl: false, queues: [...queues] });
  await worker.start();
  workshop.afterwards(() => worker.stop());
}

/**
 * Puts jobs of every place into a store: what was done, what failed, what waits, with and without a priority, unique, scheduled, revoked,
 * of plain BullMQ, and a chord of which one member is done.
 *
 * @returns the id of the chord
 */
export async function fillStore(workshop: Workshop, url: string): Promise<string> {
  const { broker } = workshop;
  const app = createTestApp(workshop, url);
  const workflow = await chord(
    group([app.signature('add', [1, 2]), app.signature('late', [30])]),
    app.signature('sum', [400]),
  ).delay();
  const ended = [newJob({ task: 'add', args: [1, 2] }), newJob({ task: 'bad', args: ['x'] })];
  await broker.queue('default').addBulk(ended);
  const { log: logger } = createLogger({ level: 'silent', destination: 2 });
  const worker = await app.createWorker({ concurrency: 4, logger, remoteControl: false, queues: ['default'] });
  await worker.start();
  await waitFor('the jobs of the first queue to end', async () => {
    const { completed, dead, waiting, active } = await broker.queue('default').counts();
    return completed >= 2 && dead === 1 && waiting === 0 && active === 0;
  });
  await worker.stop();
  const late = broker.queue('late');
  await late.addBulk([
    newJob({ task: 'late', args: [1, { big: 'ü'.repeat(1000) }] }),
    newJob({ task: 'late', unique: { key: 'one of a kind' } }),
    newJob({ task: 'late', delayMs: HOUR_MS, args: ['in an hour'] }),
  ]);
  const revoked = newJob({ task: 'late' });
  await late.add(revoked);
  await late.revoke([revoked.id], { at: 1_900_000_000_000, by: 'ada@box' });
  await broker.queue('first').enablePriorities();
  await broker.queue('first').addBulk([newJob({ task: 'late', priority: 9 }), newJob({ task: 'late', priority: 2 })]);
  const plain = workshop.plainQueue('plain');
  await plain.add('resize', { src: 'a.png', width: 17 }, { attempts: 5, backoff: { type: 'fixed', delay: 3 } });
  await plain.add('resize', { src: 'b.png' }, { jobId: 'own-id', priority: 3 });
  await plain.add('resize', [1, 2], { delay: HOUR_MS });
  return workflow.id;
}

/** All that a broker holds, without what only its store knows, by queue and id. */
export async function readAll(broker: Broker): Promise<JobRecord[]> {
  const all: JobRecord[] = [];
  for (const name of await broker.listQueues()) {
    const { bulk } = broker.queue(name);
    for await (const page of bulk.scanSummaries({ places: PLACES })) {
      all.push(...(await bulk.readRecords(page.map(({ id }) => id))));
    }
  }
  expect(all.length).toBeGreaterThan(0);
  return all
    .map(({ rank: _, hold: __, ...record }) => record)
    .sort((a, b) => (`${a.queue} ${a.id}` < `${b.queue} ${b.id}` ? -1 : 1));
}

/** The same, where a store may write the same JSON in another way. */
export function comparable(records: readonly JobRecord[]): unknown[] {
  return records.map((record) => ({
    ...record,
    ...{ data: parse(record.data), result: parse(record.result), progress: parse(record.progress) },
    children: record.children
      .map((child) => ({ ...child, value: child.end === 'done' ? parse(child.value) : child.value }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  }));
}

function parse(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
