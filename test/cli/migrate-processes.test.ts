import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createStore, newJob, openWorkshop, type Workshop } from '../engine/broker/workshop.ts';
import { readAll } from '../ops/transfer/every-kind-of-job.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { runTq, startTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

const JOBS = 600;
const KILLS = 2;

// It may take longer than a test.
beforeAll(ensureBuilt);

const workshops: Workshop[] = [];
afterEach(async () => {
  for (const workshop of workshops.splice(0).reverse()) await workshop.close();
});

const brokers = brokersUnderTest();
const pairs = brokers.flatMap((from) =>
  brokers
    .filter((to) => from.name === 'sqlite' || to.name === 'sqlite')
    .map((to) => ({ from, to, title: `from ${from.name} to ${to.name}` })),
);

describe.each(pairs)('$title', ({ from, to }) => {
  test('a migration that is killed again and again is completed by the same command', async () => {
    const [fromUrl, toUrl] = [await createStore(from), await createStore(to)];
    const source = await openWorkshop(from.name, fromUrl);
    const target = await openWorkshop(to.name, toUrl);
    workshops.push(source, target);
    // Large ones: a page holds few of them, and there are many pages to be killed between.
    const jobs = Array.from({ length: JOBS }, (_, index) => newJob({ args: [index, 'x'.repeat(40_000)] }));
    for (let at = 0; at < JOBS; at += 100) await source.broker.queue('mail').addBulk(jobs.slice(at, at + 100));
    const argv = ['migrate', '--from', fromUrl, '--to', toUrl, '--yes'];
    const count = async () => (await target.broker.queue('mail').counts()).waiting;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = await count();
      const running = await startTq(argv);
      await waitFor('a page to be stored in the target', async () => (await count()) > before, { everyMs: 1 });
      running.signal('SIGKILL');
      await running.exit;
    }
    const left = (await source.broker.queue('mail').counts()).waiting;
    expect(left).toBeGreaterThan(0);
    expect(left + (await count())).toBeGreaterThanOrEqual(JOBS);

    const ended = await runTq([...argv, '--json']);
    expect(ended.exitCode).toBe(0);
    expect(ended.json()).toMatchObject({
      ...{ moved: left, left: 0, failed: [], stopped: null },
      queues: [{ queue: 'mail', before: left, moved: left, left: 0, targetAfter: JOBS }],
    });
    const arrived = await readAll(target.broker);
    expect(arrived.map(({ id }) => id)).toEqual(jobs.map(({ id }) => id).sort());
    expect(await source.broker.queue('mail').status(0)).toMatchObject({ waiting: 0, paused: true });
    expect(await target.broker.queue('mail').status(0)).toMatchObject({ waiting: JOBS, paused: false });
    const again = await runTq([...argv, '--json']);
    expect(again.json()).toMatchObject({ moved: 0, left: 0, stopped: null });
  });
});
