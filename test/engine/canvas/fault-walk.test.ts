import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { createError } from '../../../src/engine/core/errors.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { createStore } from '../app/live-app.ts';
import { recordLog } from '../worker/recorded.ts';
import { createFailingBroker, type Incident } from './failing-broker.ts';
import { defineWorkflow, LOCK, readRan, STEPS, VALUE } from './walked-workflow.ts';

/** Processes, or workers of this one, at a time: the machine may have few cores. */
const AT_ONCE = 4;

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let url: string;
  let file: string;
  let calls: number;
  const apps: App[] = [];
  beforeAll(async () => {
    url = await createStore(underTest);
    file = join(createFolderOfRun(`walk-${underTest.name}`), 'ran');
    calls = await countCalls();
  });
  afterAll(() => Promise.all(apps.map((app) => app.close())));

  function create(queue: string, open?: typeof openBroker): App {
    const parts = { env: {}, ...(open !== undefined && { openBroker: open }) };
    const app = createApp({ broker: url, defaultQueue: queue, builtins: false }, parts);
    apps.push(app);
    return app;
  }

  const createWorker = (app: App, queues: readonly string[]) => {
    const { logger } = recordLog();
    return app.createWorker({
      queues,
      concurrency: 1,
      lockDuration: LOCK,
      remoteControl: false,
      blockedAfter: 0,
      logger,
    });
  };

  /** Runs the workflow on a worker that an incident happens to; gives how many calls the incident could have met. */
  async function walk(queue: string, incident?: Incident): Promise<number> {
    let failing: ReturnType<typeof createFailingBroker> | undefined;
    const app = create(queue, async (...args) => {
      failing = createFailingBroker(await openBroker(...args), incident);
      return failing.broker;
    });
    defineWorkflow(app, file);
    const worker = await createWorker(app, [queue]);
    await worker.start();
    failing?.begin();
    const sent = await defineWorkflow(create(queue), file).delay();
    expect(await sent.get({ timeout: '60s' })).toEqual(VALUE);
    // Nobody waits for the callback: it may still be on its way.
    await vi.waitUntil(() => readRan(file, queue).includes('called'), { timeout: 30_000 });
    await worker.stop();
    return failing?.calls ?? 0;
  }

  async function countCalls(): Promise<number> {
    const counted = await walk('whole');
    expect(readRan(file, 'whole').toSorted()).toEqual(STEPS);
    return counted;
  }

  /** Every call, and whether the broker had done it. */
  function listIncidents(kind: string) {
    return Array.from({ length: calls }, (_, index) => index + 1).flatMap((at) =>
      (['before', 'after'] as const).map((when) => ({ at, when, queue: `${kind}-${when}-${at}` })),
    );
  }

  async function inTurn<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
    const left = [...items];
    const work = async (): Promise<void> => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  test('a workflow whose broker is away at a call between two steps goes on, and no step runs twice', async () => {
    const faults: string[] = [];
    await inTurn(listIncidents('absence'), async ({ at, when, queue }) => {
      const happens = (): Promise<never> =>
        Promise.reject(
          createError('BROKER_UNAVAILABLE', { url, doing: 'leading on', reason: 'it is away', causes: '' }),
        );
      await walk(queue, { at, when, happens }).catch((error: Error) => faults.push(`${queue}: ${error.message}`));
      const ran = readRan(file, queue);
      if (ran.toSorted().join() !== STEPS.join()) faults.push(`${queue}: ran ${ran.join()}`);
    });
    expect(faults).toEqual([]);
  }, 120_000);

  test('a workflow whose worker is killed at a call between two steps goes on, and only the step that it had taken may run twice', async () => {
    const app = create('rescued');
    defineWorkflow(app, file);
    const incidents = listIncidents('death');
    const sent = new Map<string, Awaited<ReturnType<ReturnType<typeof defineWorkflow>['delay']>>>();
    await inTurn(incidents, async ({ at, when, queue }) => {
      const doomed = fork(new URL('./doomed-worker.ts', import.meta.url), [url, queue, String(at), when, file]);
      const ended = once(doomed, 'exit');
      await Promise.race([once(doomed, 'message'), ended]);
      sent.set(queue, await defineWorkflow(create(queue), file).delay());
      expect(await ended).toEqual([null, 'SIGKILL']);
    });
    const worker = await createWorker(
      app,
      incidents.map(({ queue }) => queue),
    );
    await worker.start();
    const faults: string[] = [];
    for (const { queue } of incidents) {
      const value = await sent
        .get(queue)
        ?.get({ timeout: '60s' })
        .catch((error: Error) => error.message);
      if (JSON.stringify(value) !== JSON.stringify(VALUE)) faults.push(`${queue}: it gave ${JSON.stringify(value)}`);
      await vi.waitUntil(() => readRan(file, queue).includes('called'), { timeout: 30_000 });
      const ran = readRan(file, queue);
      if (STEPS.some((step) => !ran.includes(step)) || ran.length > STEPS.length + 1)
        faults.push(`${queue}: ran ${ran.join()}`);
    }
    await worker.stop();
    expect(faults).toEqual([]);
  }, 180_000);
});
