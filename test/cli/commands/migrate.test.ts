import { describe, expect, test } from 'vitest';
import { FakeResultStore } from '../../engine/worker/fake-result-store.ts';
import { createSqliteUrl } from '../../support/brokers.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('takes nothing of its own', async () => {
    expect(await parseInput('migrate')).toEqual({});
    expect(await usageFault('migrate', 'now')).toMatch(/too many arguments/);
  });

  test('with two brokers it moves jobs', async () => {
    const argv = ['migrate', '--from', 'sqlite:a.db', '--to', 'redis://box', '-Q', 'a,b', '--timeout', '5s'] as const;
    expect(await parseInput(...argv)).toEqual({
      ...{ from: 'sqlite:a.db', to: 'redis://box', queues: ['a', 'b'], waitMs: 5000 },
    });
    expect(await usageFault('migrate', '--from', 'sqlite:a.db')).toMatch(/only a part/);
    expect(await usageFault('migrate', '-Q', 'a')).toMatch(/only a part/);
  });
});

describe('input to output', () => {
  test.each([
    [{ from: null, to: null }, 'this broker has no schema; nothing to do\n'],
    [{ from: null, to: 3 }, 'created the schema, version 3\n'],
    [{ from: 3, to: 3 }, 'the schema is current, version 3\n'],
    [{ from: 1, to: 3 }, 'upgraded the schema from version 1 to 3\n'],
  ])('%j', async (migration, text) => {
    const broker = new FakeBroker('postgres');
    broker.migration = migration;
    const session = createFakeSession(broker);
    expect(await run(['migrate'], { session })).toMatchObject({ exitCode: 0, stdout: text, stderr: '' });
    expect(JSON.parse((await run(['migrate', '--json'], { session })).stdout)).toEqual({ ...migration, results: null });
  });

  test('on SQLite says that nobody has to ask for it', async () => {
    const broker = new FakeBroker('sqlite');
    broker.migration = { from: 1, to: 1 };
    const session = createFakeSession(broker);
    expect(await run(['migrate'], { session })).toMatchObject({
      exitCode: 0,
      stdout: 'the schema is current, version 1\n',
      stderr: 'SQLite makes and upgrades its tables by itself, whenever a file is opened\n',
    });
    expect(JSON.parse((await run(['migrate', '--json'], { session })).stdout)).toEqual({
      from: 1,
      to: 1,
      results: null,
    });
  });

  test('says what became of the result store', async () => {
    const session = createFakeSession(new FakeBroker('redis'));
    session.fakeResults.store = new FakeResultStore();
    const { stdout } = await run(['migrate', '--results', 'postgres://box/results'], { session });
    expect(stdout).toBe('this broker has no schema; nothing to do\nresults: created the schema, version 2\n');
    const { stdout: json } = await run(['migrate', '--json'], { session });
    expect(JSON.parse(json)).toEqual({ from: null, to: null, results: { from: null, to: 2 } });
  });

  test('--dry-run migrates nothing', async () => {
    const broker = new FakeBroker('postgres');
    const ran = await run(['migrate', '--dry-run'], { session: createFakeSession(broker) });
    expect(ran.stdout).toMatch(/^would create the schema/);
    expect(broker.changes).toEqual([]);
  });

  test('a broker that is away has exit code 69', async () => {
    const session = createFakeSession(new FakeBroker().break());
    expect(await run(['migrate'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});

describe('from one broker to another', () => {
  test('it is run on the one that jobs are moved from, and shows the queues', async () => {
    const broker = new FakeBroker().store('mail', { id: 'a' }, { id: 'b' });
    const target = createSqliteUrl();
    const argv = ['migrate', '--from', 'redis://localhost', '--to', target];
    const planned = await run([...argv, '--dry-run'], { session: createFakeSession(broker) });
    expect(planned.stdout).toMatch(/^would move 2 jobs of 1 queue from redis:.* to sqlite:.*\nmail\t2\t0\n$/);
    const ran = await run([...argv, '--yes'], { session: createFakeSession(broker) });
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'mail\t2\t2\t0\t0\t2\n' });
    expect(ran.stderr).toContain('start producers and workers with the new URL');
    const again = await run([...argv, '--yes', '--json'], { session: createFakeSession(broker) });
    expect(JSON.parse(again.stdout)).toMatchObject({ moved: 0, left: 0, failed: [], schedulers: [], stopped: null });
  });
});
