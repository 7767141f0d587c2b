import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App, WorkerOptions } from '../../../src/engine/app/contract.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import type { Meta } from '../../../src/engine/core/envelope.ts';
import { type FiringMark, formatFiringId } from '../../../src/engine/core/schedule/firing.ts';
import { startOfRun } from '../../../src/engine/core/schedule/jitter.ts';
import type { JobState } from '../../../src/engine/core/state.ts';
import { type RunRecord, RunRecords } from '../../../src/engine/schedule/run-record.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { waitFor } from '../../support/wait-for.ts';
import { recordLog } from '../worker/recorded.ts';
import { registerFiringTasks } from './firing-tasks.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

const module = new URL('./firing-tasks.ts', import.meta.url);
const HOUR_MS = 3_600_000;
const PREFORK = { pool: 'prefork', module } as const;

describe.each(brokersUnderTest())('firings of schedule entries on $name', (underTest) => {
  let url: string;
  let bench: LiveBench;
  let app: App;
  let broker: Broker;
  let entry: string;
  let folder: string;
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(async () => {
    bench = createLiveBench(url);
    app = bench.createApp();
    registerFiringTasks(app);
    broker = await app.broker();
    entry = `entry of ${bench.queue}`;
    folder = createFolderOfRun('firings');
  });
  afterEach(() => bench.close());

  const start = (options: WorkerOptions = {}) => bench.startWorker(app, { concurrency: 2, ...options });

  const fire = async (
    task: string,
    dueAt: number,
    { mark, args = [], meta = {} }: { mark?: Partial<FiringMark>; args?: readonly unknown[]; meta?: Meta } = {},
  ): Promise<string> => {
    const id = formatFiringId(entry, dueAt);
    const schedule = { entry, ...mark };
    await broker.queue(bench.queue).add({ id, task, args, meta: { ...meta, schedule }, createdAt: Date.now() });
    return id;
  };
  const read = (id: string) => broker.queue(bench.queue).readJob(id);
  const reaches = (id: string, state: JobState) =>
    waitFor(`${id} to be ${state}`, async () => {
      const job = await read(id);
      return job?.state === state ? job : undefined;
    });
  const recorded = (wanted: Partial<RunRecord>) =>
    waitFor(`the record ${JSON.stringify(wanted)}`, async () => {
      const [record] = await new RunRecords(broker.state).read([entry]);
      const isIt = Object.entries(wanted).every(([key, value]) => record?.[key as keyof RunRecord] === value);
      return isIt ? record : undefined;
    });
  const go = (): void => writeFileSync(join(folder, 'go'), '');
  const listRuns = (): string[] => {
    try {
      return readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  const begins = (id: string) => waitFor(`${id} to run`, () => listRuns().includes(id));

  test.each([{}, PREFORK])('know their entry and due time, and say it on their log lines (%o)', async (options) => {
    const { logger, lines } = recordLog();
    const dueAt = Date.now() - 1000;
    const id = await fire('about', dueAt, { mark: { windowMs: HOUR_MS, expiresMs: HOUR_MS, overlap: 'skip' } });
    const plain = await app.send('about', []);
    const worker = await start({ ...options, logger });
    expect(await app.result(id).get({ timeout: '20s' })).toEqual({ schedule: { entry, dueAt }, requestId: id });
    expect(await plain.get({ timeout: '20s' })).toEqual({ schedule: null, requestId: plain.id });
    const record = await recorded({ state: 'SUCCESS' });
    expect(record).toEqual({
      ...{ jobId: id, dueAt, state: 'SUCCESS', worker: worker.name },
      ...{ startedAt: expect.any(Number), finishedAt: expect.any(Number) },
    });
    await worker.stop();
    const schedules = (task: string) => lines.filter((line) => line.task_id === task).map(({ schedule }) => schedule);
    expect(schedules(id).length).toBeGreaterThan(1);
    expect(new Set(schedules(id))).toEqual(new Set([entry]));
    expect(new Set(schedules(plain.id))).toEqual(new Set([undefined]));
  });

  test('one that comes too late for its entry is not run, and one in time is', async () => {
    const late = Date.now() - 3 * HOUR_MS;
    const missed = await fire('about', late, { mark: { windowMs: 60_000 } });
    const inTime = await fire('about', late + 1, { mark: { windowMs: 4 * HOUR_MS } });
    await start();
    const { reason } = await reaches(missed, 'IGNORED');
    const due = new Date(late).toISOString();
    expect(reason).toBe(`missed: due at ${due}, 3h late; entry "${entry}" lets a firing start at most 1m late`);
    await reaches(inTime, 'SUCCESS');
    await recorded({ jobId: inTime, state: 'SUCCESS' });
  });

  test.each([{}, PREFORK])('one that has not started by its expiry is revoked (%o)', async (options) => {
    const dueAt = Date.now() - 3 * HOUR_MS;
    const expired = await fire('about', dueAt, { mark: { expiresMs: HOUR_MS } });
    const valid = await fire('about', dueAt + 1, { mark: { expiresMs: 4 * HOUR_MS } });
    await start(options);
    const { reason } = await reaches(expired, 'REVOKED');
    expect(reason).toBe(`expired at ${new Date(dueAt + HOUR_MS).toISOString()}, 1h after it was due`);
    await reaches(valid, 'SUCCESS');
  });

  test('one whose entry has jitter is held once, until its start, and charged no attempt', async () => {
    const dueAt = dueWithLongJitter();
    const at = startOfRun({ jitterMs: HOUR_MS }, entry, dueAt);
    const id = await fire('about', dueAt, { mark: { jitterMs: HOUR_MS, windowMs: 2 * HOUR_MS } });
    await start();
    const held = await reaches(id, 'SCHEDULED');
    expect(Math.abs((held.dueAt ?? 0) - at)).toBeLessThan(5000);
    expect(held.attempts).toBe(0);
    expect(await new RunRecords(broker.state).read([entry])).toEqual([undefined]);
    const { reasons } = await app.why(id);
    expect(reasons.map(({ code }) => code)).toEqual(['JITTER']);
    await broker.queue(bench.queue).promoteToHead([id]);
    expect(await reaches(id, 'SUCCESS')).toMatchObject({ attempts: 1 });
  });

  /** Its jitter of an hour holds it for more than half of that. */
  const dueWithLongJitter = (): number => {
    let dueAt = Date.now();
    while (startOfRun({ jitterMs: HOUR_MS }, entry, dueAt) < dueAt + HOUR_MS / 2) dueAt -= 1;
    return dueAt;
  };

  test('with the overlap skip, one does not run beside an earlier one', async () => {
    const dueAt = Date.now() - 3000;
    const mark = { overlap: 'skip' } as const;
    const first = await fire('hold', dueAt, { mark, args: [folder] });
    await start();
    await begins(first);
    const second = await fire('hold', dueAt + 1000, { mark, args: [folder] });
    const { reason } = await reaches(second, 'IGNORED');
    expect(reason).toBe(`skipped: the firing of ${new Date(dueAt).toISOString()} is still running`);
    await recorded({ jobId: first, state: 'STARTED', finishedAt: null });
    go();
    await reaches(first, 'SUCCESS');
    await recorded({ jobId: first, state: 'SUCCESS' });
    const third = await fire('hold', dueAt + 2000, { mark, args: [folder] });
    await reaches(third, 'SUCCESS');
    expect(listRuns()).toEqual([first, third]);
  });

  test('with the overlap skip, one that waits for its retry is still running', async () => {
    const dueAt = Date.now() - 3000;
    const mark = { overlap: 'skip' } as const;
    const first = await fire('retry', dueAt, { mark });
    await start();
    await reaches(first, 'RETRY');
    await recorded({ jobId: first, state: 'RETRY', finishedAt: null });
    const second = await fire('about', dueAt + 1000, { mark });
    await reaches(second, 'IGNORED');
    await broker.queue(bench.queue).promoteToHead([first]);
    await reaches(first, 'FAILURE');
    await recorded({ jobId: first, state: 'FAILURE' });
    await reaches(await fire('about', dueAt + 2000, { mark }), 'SUCCESS');
  });

  test('with the overlap skip, of two that two workers take at once one runs', async () => {
    const dueAt = Date.now() - 3000;
    const mark = { overlap: 'skip' } as const;
    await start({ concurrency: 1 });
    await start({ concurrency: 1 });
    const ids = await Promise.all([0, 1].map((ms) => fire('hold', dueAt + ms, { mark, args: [folder] })));
    const jobs = () => Promise.all(ids.map(read));
    const skipped = await waitFor('one to be skipped', async () =>
      (await jobs()).find((job) => job?.state === 'IGNORED'),
    );
    expect(skipped.reason).toMatch(/^skipped: .* is still running$/);
    const [other = ''] = ids.filter((id) => id !== skipped.id);
    await begins(other);
    go();
    await reaches(other, 'SUCCESS');
    expect(listRuns()).toEqual([other]);
  });

  test.each([{}, PREFORK])('with the overlap replace, one ends the earlier one and runs (%o)', async (options) => {
    const dueAt = Date.now() - 3000;
    const mark = { overlap: 'replace' } as const;
    const first = await fire('hold', dueAt, { mark, args: [folder] });
    const workers = [await start({ ...options, concurrency: 1 })];
    await begins(first);
    workers.push(await start({ ...options, concurrency: 1 }));
    const second = await fire('hold', dueAt + 1000, { mark, args: [folder] });
    await begins(second);
    const { reason } = await reaches(first, 'REVOKED');
    const due = new Date(dueAt + 1000).toISOString();
    expect(reason).toContain(`by the firing of ${due} of entry "${entry}", which replaces it at `);
    await recorded({ jobId: second, state: 'STARTED' });
    go();
    await reaches(second, 'SUCCESS');
    await recorded({ jobId: second, state: 'SUCCESS' });
  });

  test('one that its worker runs itself is replaced too', async () => {
    const dueAt = Date.now() - 3000;
    const mark = { overlap: 'replace' } as const;
    const first = await fire('hold', dueAt, { mark, args: [folder] });
    await start({ concurrency: 2 });
    await begins(first);
    await reaches(await fire('about', dueAt + 1000, { mark }), 'SUCCESS');
    await reaches(first, 'REVOKED');
    go();
  });

  test('a later one is not replaced by an earlier one, in the record neither', async () => {
    const dueAt = Date.now() - 3000;
    const later = await fire('about', dueAt + 1000);
    await start();
    await recorded({ jobId: later, state: 'SUCCESS' });
    const earlier = await fire('about', dueAt, { mark: { overlap: 'skip' } });
    await reaches(earlier, 'SUCCESS');
    await recorded({ jobId: later, state: 'SUCCESS' });
  });

  test('a dead one that goes back to work runs, whatever its entry says of its time and of others', async () => {
    const dueAt = Date.now() - 3 * HOUR_MS;
    const id = await fire('fail', dueAt, { args: [folder] });
    await start();
    await reaches(id, 'FAILURE');
    await recorded({ jobId: id, state: 'FAILURE' });
    const other = createFolderOfRun('firings');
    const later = await fire('hold', dueAt + 1000, { args: [other] });
    await recorded({ jobId: later, state: 'STARTED' });
    go();
    const mark = { entry, windowMs: 1000, expiresMs: 1000, overlap: 'skip' } as const;
    const data = JSON.stringify({ args: [folder], meta: { schedule: mark } });
    const { bulk } = broker.queue(bench.queue);
    expect(await bulk.reprocess([{ id, data }])).toEqual([id]);
    expect(await reaches(id, 'SUCCESS')).toMatchObject({ result: { entry, dueAt } });
    // The same call that nobody has put back is not run.
    await reaches(await fire('fail', dueAt + 2000, { mark, args: [folder] }), 'REVOKED');
    await recorded({ jobId: later, state: 'STARTED' });
    writeFileSync(join(other, 'go'), '');
    await reaches(later, 'SUCCESS');
  });

  test('what one calls, and the workflow that it becomes, are no firings', async () => {
    const dueAt = Date.now() - 1000;
    const caller = await fire('caller', dueAt);
    await start();
    const called = (await app.result(caller).get({ timeout: '20s' })) as string;
    expect(await reaches(called, 'SUCCESS')).toMatchObject({
      meta: { parentId: caller, requestId: caller },
      result: { schedule: null, requestId: caller },
    });
    expect((await read(called))?.meta.schedule).toBeUndefined();
    const starter = await fire('starter', dueAt + 1);
    expect(await app.result(starter).get({ timeout: '20s' })).toMatchObject({ schedule: null });
    expect((await read(starter))?.meta.schedule).toEqual({ entry });
    await recorded({ jobId: starter, state: 'SUCCESS' });
  });

  test('one that is recorded, removed and put back is one still', async () => {
    const dueAt = Date.now() - 1000;
    const id = await fire('about', dueAt, { mark: { jitterMs: 5 } });
    const { bulk } = broker.queue(bench.queue);
    const records = await bulk.readRecords([id]);
    expect(await bulk.remove([id], ['waiting'])).toEqual([id]);
    expect(await bulk.restore(records)).toEqual([{ id, kind: 'restored' }]);
    await start();
    expect(await app.result(id).get({ timeout: '20s' })).toMatchObject({ schedule: { entry, dueAt } });
  });

  test('one by hand has an id of its own, and its due time from its mark', async () => {
    const dueAt = Date.now();
    const schedule = { entry, dueAt };
    const id = 'by-hand';
    await broker.queue(bench.queue).add({ id, task: 'about', args: [], meta: { schedule }, createdAt: dueAt });
    await start();
    expect(await app.result(id).get({ timeout: '20s' })).toMatchObject({ schedule, requestId: id });
    await recorded({ jobId: id, dueAt, state: 'SUCCESS' });
  });
});
