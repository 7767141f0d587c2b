import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { health } from '../../../src/cli/commands/health.ts';
import { createSqliteUrl } from '../../support/brokers.ts';
import { ensureBuilt } from '../../support/build.ts';
import { storeLiveBeat } from '../../support/live-beat.ts';
import { type RunningTq, runTq, startTq } from '../../support/tq-command.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession, type FakeSession } from '../fake-session.ts';
import { parseInput } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('nothing is everything; options add up', async () => {
    expect(await parseInput('health')).toEqual({});
    expect(await parseInput('health', '--only', 'broker,disk', '--worker', 'tq@a', '--beat')).toEqual({
      ...{ only: ['broker', 'disk'], worker: 'tq@a', beat: true },
    });
  });

  test.each([
    ['--only', 'brokr'],
    ['--only', ''],
    ['--worker', ''],
    ['--worker', 'tq%n@%h'],
    ['--worker', 'tq %h'],
  ])('refuses %s "%s"', async (...argv) => {
    await expect(parseInput('health', ...argv)).rejects.toMatchObject({ exitCode: 2 });
  });
});

function setup(ready: boolean): FakeSession {
  const broker = new FakeBroker();
  const problems = ready ? [] : ['the worker is \u001b[2Jstopping'];
  broker.control.add('tq@a', { stats: { health: { live: true, ready, problems } } });
  return createFakeSession(broker);
}

describe('input to output', () => {
  test('--json prints status and components', async () => {
    const { stdout, exitCode } = await run(['health', '--worker', 'tq@a', '--json'], { session: setup(true) });
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(health.json);
    expect(report).toMatchObject({ status: 'ok', components: [{ name: 'worker', status: 'ok' }] });
    expect(exitCode).toBe(0);
  });

  test('exit code 1 for what has failed, 69 for what does not answer', async () => {
    const session = setup(false);
    expect(await run(['health', '--worker', 'tq@a'], { session })).toMatchObject({ exitCode: 1 });
    expect(await run(['health', '--worker', 'tq@b'], { session })).toMatchObject({ exitCode: 69 });
    expect(await run(['health', '--beat'], { session })).toMatchObject({ exitCode: 69 });
    const lost = createFakeSession(new FakeBroker().break());
    expect(await run(['health', '--only', 'broker'], { session: lost })).toMatchObject({ exitCode: 69, stderr: '' });
  });

  test('what is degraded is a failure with --strict alone', async () => {
    const session = setup(true);
    const now = session.clock.now();
    await storeLiveBeat(session.fake, { name: 'beat@a', isLeader: true, since: now, entries: 1, overdue: 1 });
    expect(await run(['health', '--beat'], { session })).toMatchObject({ exitCode: 0 });
    expect(await run(['health', '--beat', '--strict'], { session })).toMatchObject({ exitCode: 1 });
  });

  test('a pipe has a line a component, a terminal the same aligned, both without control sequences', async () => {
    const session = setup(false);
    const { stdout } = await run(['health', '--worker', 'tq@a'], { session });
    expect(stdout).toMatch(/^worker\tfailed\ttq@a is not ready: .*\n$/);
    const onTerminal = await run(['health', '--worker', 'tq@a', '--no-color'], { session, columns: 80 });
    expect(onTerminal.stdout).toMatch(/^failed {4}worker {2}tq@a is not ready/);
    expect(stdout + onTerminal.stdout).not.toContain('\u001b');
  });
});

describe('the built tq', () => {
  let worker: RunningTq | undefined;
  // It may take longer than a test.
  beforeAll(ensureBuilt);
  afterEach(async () => {
    worker?.signal('SIGKILL');
    await worker?.exit;
    worker = undefined;
  });

  test('tells a live worker from one that is gone, and finds everything well while it runs', async () => {
    const url = await createSqliteUrl();
    const env = { TQ_BROKER_URL: url, TQ_WORKER_NAME: 'tq@probed' };
    const folder = join(import.meta.dirname, '../../..');
    expect(await runTq(['health', '--worker', 'tq@probed'], { env })).toMatchObject({ exitCode: 69 });
    worker = await startTq(['worker', '--pool', 'async'], { env });
    await worker.waitForLine('"message":"worker ready"');
    expect(await runTq(['health', '--worker', 'tq@probed'], { env })).toMatchObject({ exitCode: 0 });
    const all = await runTq(['health', '--json'], { env, cwd: folder });
    expect(all.json()).toMatchObject({
      components: [{ status: 'ok' }, { status: 'ok' }, { live: 1, ready: 1 }, {}, {}],
    });
    const called = await runTq(['call', 'health.check', '--wait', '--json'], { env });
    expect(called.json()).toMatchObject({ state: 'SUCCESS', result: { components: [{}, {}, { live: 1 }, {}, {}] } });
    worker.signal('SIGTERM');
    expect(await worker.exit).toMatchObject({ exitCode: 0 });
    expect(await runTq(['health', '--worker', 'tq@probed'], { env })).toMatchObject({ exitCode: 69 });
  });
});
