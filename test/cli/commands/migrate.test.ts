import { describe, expect, test } from 'vitest';
import { FakeResultStore } from '../../engine/worker/fake-result-store.ts';
import { FakeBroker } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('takes nothing of its own', async () => {
    expect(await parseInput('migrate')).toEqual({});
    expect(await usageFault('migrate', 'now')).toMatch(/too many arguments/);
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
