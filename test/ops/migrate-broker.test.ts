import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { migrateBroker } from '../../src/ops/migrate-broker.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { FakeResultStore } from '../engine/worker/fake-result-store.ts';

test('gives the versions before and after, and asks nobody: no job is touched', async () => {
  const broker = new FakeBroker('postgres');
  broker.migration = { from: 1, to: 3 };
  const execution = await execute(migrateBroker, {}, { session: createFakeSession(broker) });
  expect(execution).toEqual({ kind: 'done', result: { kind: 'postgres', from: 1, to: 3, results: null } });
  expect(broker.changes).toEqual(['migrate']);
});

test.each([
  ['redis', 'would change nothing'],
  ['postgres', 'would create the schema'],
  ['sqlite', 'as its next use by a call or a worker does'],
] as const)('a dry run on %s changes nothing and says what would happen', async (kind, summary) => {
  const broker = new FakeBroker(kind);
  const execution = await execute(migrateBroker, {}, { session: createFakeSession(broker), dryRun: true });
  expect(execution).toMatchObject({ plan: { count: 0, summary: expect.stringContaining(summary) } });
  expect(broker.changes).toEqual([]);
});

test('migrates the result store too, when there is one', async () => {
  const session = createFakeSession(new FakeBroker('redis'));
  session.fakeResults.store = new FakeResultStore();
  const execution = await execute(migrateBroker, {}, { session });
  expect(execution).toMatchObject({ result: { from: null, to: null, results: { from: null, to: 2 } } });
  const plan = await execute(migrateBroker, {}, { session, dryRun: true });
  expect(plan).toMatchObject({
    plan: { summary: expect.stringContaining('would create the table of results of postgres://tq:***@box/results') },
  });
});

test('opens the broker without looking at a schema that is not there yet', async () => {
  const session = createFakeSession();
  const asked: unknown[] = [];
  const broker = async (options?: unknown) => {
    asked.push(options);
    return await session.broker();
  };
  await execute(migrateBroker, {}, { session: { ...session, broker } });
  expect(asked).toEqual([{ skipSchema: true }, { skipSchema: true }]);
});

test('its command line says the same', () => {
  expect(migrateBroker.commandLine({})).toEqual(['migrate']);
});
