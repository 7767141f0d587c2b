import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { openBroker } from '../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { type Channel, createChannel } from '../engine/broker/channel.ts';
import { newJob } from '../engine/broker/workshop.ts';
import { type BrokerUnderTest, brokersUnderTest } from '../support/brokers.ts';
import { recordEnded, recordStarted } from '../support/run-folder.ts';
import { runTq } from '../support/tq-command.ts';

const FILE = fileURLToPath(new URL('./control-worker-process.ts', import.meta.url));

interface WorkerProcess {
  readonly pid: number;
  /** What it says, see the file. */
  readonly said: Channel<unknown>;
  readonly exit: Promise<number | null>;
  kill(): Promise<unknown>;
}

describe.each(brokersUnderTest())('with real processes on $name', (underTest) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const start = (url: string, name: string): WorkerProcess => {
    const child: ChildProcess = fork(FILE, [url, name, 'mail']);
    const pid = child.pid as number;
    recordStarted(pid, FILE);
    const said = createChannel<unknown>();
    child.on('message', (message) => said.push(message));
    const exit = once(child, 'exit').then(([code]) => {
      recordEnded(pid);
      return code as number | null;
    });
    const kill = (): Promise<unknown> => {
      child.kill('SIGKILL');
      return exit;
    };
    stops.push(kill);
    return { pid, said, exit, kill };
  };

  test('workers are asked, found silent when they are killed, replaced, and stopped', { timeout: 90_000 }, async () => {
    const { url, add } = await createBroker(underTest, stops);
    const tq = async (...argv: string[]) => {
      const { exitCode, json, stderr } = await runTq([...argv, '--json', '--broker', url]);
      return { exitCode, document: json(), stderr };
    };
    expect(await tq('inspect', 'ping')).toMatchObject({ exitCode: 69, document: { workers: {}, silent: [] } });

    const first = start(url, 'tq@e2e');
    expect(await first.said.next()).toBe('ready');
    const id = await add();
    expect(await first.said.next()).toBe(id);
    expect(await tq('inspect', 'active')).toMatchObject({
      exitCode: 0,
      document: {
        workers: { 'tq@e2e': [{ id, task: 'work', queue: 'mail', attempt: 1, pid: first.pid }] },
        silent: [],
        orphaned: [],
      },
    });
    expect(await tq('status')).toMatchObject({
      exitCode: 0,
      document: {
        workers: [{ name: 'tq@e2e', host: hostname(), pid: first.pid, active: 1, queues: ['mail'] }],
        silent: [],
      },
    });

    const second = start(url, 'tq@e2e');
    expect(await second.said.next()).toBe('WORKER_NAME_TAKEN');
    await second.exit;

    await first.kill();
    expect(await tq('inspect', 'active', '--timeout', '500ms')).toMatchObject({
      exitCode: 69,
      document: { workers: {}, silent: ['tq@e2e'], orphaned: [{ id, worker: 'tq@e2e', recoverAt: null }] },
    });

    const successor = start(url, 'tq@e2e');
    expect(await successor.said.next()).toBe('ready');
    expect(await tq('inspect', 'active')).toMatchObject({
      exitCode: 0,
      document: { workers: { 'tq@e2e': [] }, silent: [], orphaned: [{ id, recoverAt: expect.any(Number) }] },
    });
    const { stdout } = await runTq(['__complete', 'workers', '--broker', url]);
    expect(stdout).toBe('tq@e2e');

    expect(await tq('control', 'shutdown', '-d', 'tq@e2e')).toMatchObject({
      exitCode: 0,
      document: { workers: { 'tq@e2e': { stopping: true, active: 0 } }, silent: [] },
    });
    expect(await successor.exit).toBe(0);
    expect(await tq('inspect', 'ping', '-d', 'tq@e2e')).toMatchObject({ exitCode: 69, document: { workers: {} } });
  });
});

async function createBroker({ createUrl }: BrokerUnderTest, stops: (() => unknown)[]) {
  const url = await createUrl();
  const setup = await openBroker(url, { clock: systemClock, skipSchema: true });
  await setup.migrate();
  await setup.close();
  const broker = await openBroker(url, { clock: systemClock });
  stops.push(() => broker.close());
  const add = async (): Promise<string> => {
    const job = newJob();
    await broker.queue('mail').add(job);
    return job.id;
  };
  return { url, add };
}
