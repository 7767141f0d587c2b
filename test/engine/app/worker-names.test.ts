import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { recordEnded, recordStarted } from '../../support/run-folder.ts';
import { createLiveBench, createStore, type LiveBench } from './live-app.ts';

const IDLE = fileURLToPath(new URL('./idle-worker-process.ts', import.meta.url));

describe.each(brokersUnderTest())("the names of an application's workers on $name", (store) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(store);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  /** What is left of workers on the broker: their names, and their nodes. */
  const listLeft = async (): Promise<{ names: string[]; nodes: string[] }> => {
    const broker = await openBroker(url, { clock: systemClock });
    try {
      const names = (await broker.state.list('worker/name/')).map(({ key }) => key.slice('worker/name/'.length));
      return { names, nodes: (await broker.control.listNodes()).map(({ name }) => name) };
    } finally {
      await broker.close();
    }
  };

  test('two apps of one process cannot have a worker of the same name, and %n numbers them', async () => {
    const [first, second] = [bench.createApp(), bench.createApp()];
    await bench.startWorker(first, { name: 'same' });
    await expect(second.createWorker({ name: 'same' })).rejects.toMatchObject({
      code: 'WORKER_NAME_TAKEN',
      message: expect.stringContaining(`the name "same" is taken by a live worker: process ${process.pid} on`),
    });
    const numbered = [
      await bench.startWorker(first, { name: 'w%n' }),
      await bench.startWorker(second, { name: 'w%n' }),
    ];
    expect(numbered.map(({ name }) => name)).toEqual(['w1', 'w2']);
    await numbered[0]?.stop();
    expect((await bench.startWorker(second, { name: 'w%n' })).name).toBe('w1');
    expect((await listLeft()).nodes.toSorted()).toEqual(['same', 'w1', 'w2']);
  });

  test('a worker that is never started gives its name back when its app closes', async () => {
    const app = bench.createApp();
    await app.createWorker({ name: 'idle' });
    const making = app.createWorker({ name: 'in-the-making' });
    await app.close();
    expect((await making).isStarted).toBe(false);
    expect(await listLeft()).toEqual({ names: [], nodes: [] });
    await expect(app.createWorker()).rejects.toMatchObject({ code: 'ALREADY_CLOSED' });
  });

  test.each(['async', 'prefork'])('and its process ends (%s)', async (pool) => {
    const child = fork(IDLE, [url, pool]);
    const pid = child.pid as number;
    recordStarted(pid, IDLE);
    const exit = once(child, 'exit').then(([code]) => {
      recordEnded(pid);
      return code as number | null;
    });
    try {
      const [said] = (await Promise.race([once(child, 'message'), exit.then(() => ['nothing'])])) as string[];
      expect(said).toBe('closed');
      // By itself: a test that has to kill it fails.
      expect(await exit).toBe(0);
      expect(await listLeft()).toEqual({ names: [], nodes: [] });
    } finally {
      child.kill('SIGKILL');
    }
  });
});
