import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { STORY_FIELDS } from '../../../src/cli/demo/story.ts';
import { ensureBuilt } from '../../support/build.ts';
import { projectFolder } from '../../support/project-folder.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { type RunningTq, runTq, startTq } from '../../support/tq-command.ts';
import { parseInput, usageFault } from '../parse-input.ts';

describe('argv to input', () => {
  test('goes on until it is stopped, or as long as it is told', async () => {
    expect(await parseInput('demo')).toEqual({ forMs: undefined });
    expect(await parseInput('demo', '--for', '20s')).toEqual({ forMs: 20_000 });
    expect(await usageFault('demo', '--for', '20')).toMatch(/^--for must be a duration/);
  });
});

describe('the demo', () => {
  let temp: string;
  let running: RunningTq | undefined;
  // It may take longer than a test.
  beforeAll(ensureBuilt);
  beforeEach(() => {
    temp = createFolderOfRun('temp');
  });
  afterEach(async () => {
    running?.signal('SIGKILL');
    await running?.exit;
    running = undefined;
  });

  /** What tq itself has in the folder for temporary files; the cache of Node is there too. */
  const listLeft = async () => (await readdir(temp)).filter((name) => name.startsWith('tq-'));

  type Line = Readonly<Record<(typeof STORY_FIELDS)[number], unknown>>;

  const inTemp = (more: Record<string, string> = {}) => ({ env: { TMPDIR: temp, ...more }, timeoutMs: 60_000 });

  test('told as JSON: a retry with growing waits, a dead letter, a scheduled job, priorities, a firing, and nothing stays', async () => {
    const told = await runTq(['demo', '--json', '--quiet'], inTemp());
    expect(told).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = told.stdout.split('\n').map((line): Line => JSON.parse(line));
    for (const line of lines) expect(Object.keys(line)).toEqual([...STORY_FIELDS]);
    expect(lines[0]).toMatchObject({ event: 'started', broker: expect.stringMatching(/^sqlite:.*tq-demo-/) });
    expect(lines.at(-1)).toMatchObject({ event: 'stopped' });

    const of = (id: string) => lines.filter((line) => line.id === id).map(({ event, attempt }) => [event, attempt]);
    expect(of('payment-1')).toEqual([
      ['called', null],
      ['retry', 1],
      ['retry', 2],
      ['succeeded', 3],
    ]);
    const waits = lines.filter(({ id, event }) => id === 'payment-1' && event === 'retry');
    expect(waits.map(({ message }) => message)).toEqual([
      'failed: the bank does not answer; again in 1s',
      'failed: the bank does not answer; again in 2s',
    ]);
    expect(of('invoice-1').at(-1)).toEqual(['dead', 2]);
    expect(of('reminder-1')).toEqual([['scheduled', null]]);
    expect(of('reminder-2').at(-1)).toEqual(['succeeded', 1]);
    const order = lines.filter(({ id, event }) => /photo|order-2/.test(String(id)) && event === 'succeeded');
    const ids = order.map(({ id }) => id);
    expect(ids.filter((id) => id !== 'order-2')).toEqual(['photo-1', 'photo-2', 'photo-3']);
    // Before photo-1 only when a firing had the slot as they were called.
    expect(ids.indexOf('order-2')).toBeLessThan(ids.indexOf('photo-2'));
    const firing = lines.find(({ entry }) => entry === 'stock-count');
    expect(firing).toMatchObject({ event: 'succeeded', task: 'stock.count', message: 'fired, and succeeded' });
    expect(await listLeft()).toEqual([]);
  }, 60_000);

  test('can be looked at from another process, with the commands that it names', async () => {
    running = await startTq(['demo', '--for', '5m'], inTemp());
    await running.waitForLine(/payment-1\tsucceeded, attempt 3$/);
    const hints = running.stderr.split('\n').flatMap((line) => /^ {2}tq (.*--broker.*)$/.exec(line)?.[1] ?? []);
    expect(hints.map((hint) => hint.split(' --broker')[0])).toEqual([
      ...['inspect queues', 'inspect scheduled', 'schedule list', 'health', 'doctor'],
      ...['jobs show payment-1', 'result invoice-1'],
    ]);
    const [queues = '', , schedule = '', , , payment = ''] = hints;
    expect((await runTq([...queues.split(' '), '--json'])).json()).toMatchObject([
      { queue: 'shop', consumers: 1 },
      { queue: 'dead_letter' },
    ]);
    expect((await runTq([...payment.split(' '), '--json'])).json()).toMatchObject({ state: 'SUCCESS', attempts: 3 });
    expect((await runTq([...schedule.split(' '), '--json'])).json()).toMatchObject([
      { name: 'health-check', task: 'health.check', enabled: true },
      { name: 'monday-offer', enabled: false, nextAt: null },
      { name: 'stock-count', enabled: true },
    ]);
    const broker = queues.slice(queues.indexOf('--broker')).split(' ');
    const health = await runTq(['health', '--beat', '--json', ...broker]);
    expect(health.json()).toMatchObject({ components: [{ name: 'beat', answers: true, beats: 1, entries: 3 }] });
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'is ended by %s, says what to type next, and removes its file',
    async (signal) => {
      running = await startTq(['demo', '--for', '5m'], inTemp());
      await running.waitForLine(/order-1\tsucceeded$/);
      expect(await listLeft()).toHaveLength(1);
      running.signal(signal);
      expect(await running.exit).toMatchObject({ exitCode: 0 });
      expect(running.stdout).toMatch(/\nWorker and beat have stopped, and their broker is removed\.\n$/);
      expect(running.stderr).toMatch(/^ {2}tq worker\n {2}tq call email\.send .* --wait\n$/m);
      expect(await listLeft()).toEqual([]);
    },
  );

  test('removes its file also when its reader has seen enough', async () => {
    const demo = execa(process.execPath, [join(projectFolder, 'bin', 'tq'), 'demo', '--for', '5m', '-q'], {
      env: { TMPDIR: temp },
      reject: false,
    });
    demo.stdout.once('data', () => demo.stdout.destroy());
    expect(await demo).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await listLeft()).toEqual([]);
  });

  test('ends after the time that it is given, and leaves any other broker alone', async () => {
    const told = await runTq(['demo', '--for', '1ms', '-q'], inTemp({ TQ_BROKER_URL: 'redis://127.0.0.1:1' }));
    expect(told).toMatchObject({ exitCode: 0, stderr: '' });
    expect(told.stdout).toMatch(/^A worker with one slot and a beat on a throw-away broker, SQLite 3\./);
    expect(await listLeft()).toEqual([]);
  });

  test('refuses a broker that it is given', async () => {
    const told = await runTq(['demo', '--broker', 'redis://127.0.0.1:1'], inTemp());
    expect(told).toMatchObject({ exitCode: 2, stdout: '' });
    expect(told.stderr).toMatch(/^tq: demo was given --broker.* \[USAGE\]\n {4}leave --broker out/);
  });
});
