import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openBroker } from '../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../src/engine/broker/port.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { createStore } from '../engine/app/live-app.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { projectFolder } from '../support/project-folder.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

const APP = `
import { createApp } from '${pathToFileURL(join(projectFolder, 'dist/index.js'))}';
export const app = createApp({ queues: ['work'], builtins: false });
app.task('report', () => 'reported');
app.task('other', () => 'done');
app.task('hourly', { rateLimit: '1/h' }, () => 'done');
// Whether it ever ends is up to the worker that runs it.
app.task('single', { concurrency: 1 }, () => process.env.HANGS ? new Promise(() => setInterval(() => {}, 1000)) : 'done');
`;

describe.each(brokersUnderTest())('with real processes on $name', (underTest) => {
  let url: string;
  let app: string;
  const stops: (() => unknown)[] = [];
  beforeAll(async () => {
    await ensureBuilt();
    url = await createStore(underTest);
    app = join(createFolderOfRun('limits'), 'app.mjs');
    await writeFile(app, APP);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const open = async (): Promise<Broker> => {
    const broker = await openBroker(url, { clock: systemClock });
    stops.push(() => broker.close());
    return broker;
  };
  const start = async (env: Record<string, string> = {}): Promise<RunningTq> => {
    const argv = ['worker', '--app', app, '--broker', url, '--lock-duration', '5s', '--concurrency', '2'];
    const worker = await startTq(argv, { env });
    stops.push(async () => {
      worker.signal('SIGKILL');
      await worker.exit;
    });
    await worker.waitForLine('"message":"worker ready"');
    return worker;
  };
  const tq = async (...argv: string[]) => {
    const { exitCode, json, stderr } = await runTq([...argv, '--json', '--app', app, '--broker', url], {
      timeoutMs: 60_000,
    });
    return { exitCode, document: json(), stderr };
  };
  const call = async (task: string): Promise<string> => {
    const { document } = await tq('call', task);
    return (document as { id: string }).id;
  };

  test('a task is paused, slowed down and let go again from the terminal', { timeout: 120_000 }, async () => {
    expect(await tq('task', 'pause', 'report')).toMatchObject({
      exitCode: 0,
      document: { tasks: [{ task: 'report', changed: true }], unconfirmed: [] },
    });
    const report = await call('report');
    const hourly = [await call('hourly'), await call('hourly')];
    const other = await call('other');
    await start();
    expect(await tq('result', other, '--wait')).toMatchObject({ document: { state: 'SUCCESS' } });
    const broker = await open();
    const { scheduled } = await waitFor('two held jobs', async () => {
      const counts = await broker.queue('work').counts();
      return counts.scheduled === 2 && counts.active === 0 && counts;
    });
    expect(scheduled).toBe(2);
    expect(await tq('inspect', 'queues')).toMatchObject({
      document: [{ queue: 'work', scheduled: 0, held: 2 }, { queue: 'dead_letter' }],
      stderr: expect.stringContaining('task "report" is paused'),
    });
    expect(await tq('status')).toMatchObject({ document: { pausedTasks: [{ task: 'report', held: 1 }] } });

    expect(await tq('task', 'resume', 'report')).toMatchObject({
      exitCode: 0,
      document: { tasks: [{ task: 'report', letGo: 1 }], unconfirmed: [] },
    });
    expect(await tq('result', report, '--wait')).toMatchObject({ document: { state: 'SUCCESS', attempts: 1 } });

    expect(await tq('control', 'rate-limit', 'huorly', '1/s')).toMatchObject({ exitCode: 1 });
    expect(await tq('control', 'rate-limit', 'hourly', '0')).toMatchObject({ exitCode: 0 });
    for (const id of hourly) {
      expect(await tq('result', id, '--wait')).toMatchObject({ document: { state: 'SUCCESS', attempts: 1 } });
    }
  });

  test('a worker that is killed gives its places back when its leases are over', { timeout: 120_000 }, async () => {
    const broker = await open();
    const queue = broker.queue('work');
    const first = await start({ HANGS: '1' });
    await call('single');
    await waitFor('it runs', async () => (await queue.counts()).active === 1);
    const waiting = await call('single');
    await waitFor('the second is held', async () => (await queue.counts()).scheduled === 1);
    first.signal('SIGKILL');
    await first.exit;
    await start();
    expect(await tq('result', waiting, '--wait')).toMatchObject({ document: { state: 'SUCCESS' } });
  });
});
