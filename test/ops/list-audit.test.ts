import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../src/ops/audit-log.ts';
import { execute } from '../../src/ops/gate.ts';
import { listAudit } from '../../src/ops/list-audit.ts';
import { READING } from '../../src/ops/operation.ts';
import { NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { createRecord } from './audit-records.ts';

const HOUR_MS = 3_600_000;

async function setup() {
  const session = createFakeSession();
  const log = new AuditLog(session.fake.state);
  const bundle = { host: 'box', file: '/undo/b.ndjson.gz', records: 3, bytes: 10 };
  await log.write(createRecord('a', { at: NOW - 3 * HOUR_MS, user: 'bob', end: 'failed', error: 'no broker' }));
  await log.write(createRecord('b', { at: NOW - 2 * HOUR_MS, bundle }));
  await log.write(createRecord('c', { at: NOW - HOUR_MS, operation: 'pause-queues', planned: 0, changed: null }));
  const ask = async (where?: string, limit = 50) =>
    (await listAudit.run(session, { ...(where !== undefined && { where }), limit }, READING)).map(({ id }) => id);
  return { session, log, ask };
}

test('the last run comes first, flat, with what it can be undone by', async () => {
  const { session } = await setup();
  const rows = await listAudit.run(session, { limit: 2 }, READING);
  const { bundle: _, ...flat } = createRecord('b', { at: NOW - 2 * HOUR_MS });
  expect(rows[1]).toEqual({ ...flat, undo: 'b' });
  expect(rows.map(({ id, undo }) => [id, undo])).toEqual([
    ['c', null],
    ['b', 'b'],
  ]);
});

test.each([
  ['user:bob', ['a']],
  ['age<150m', ['c', 'b']],
  ['operation:purge-*', ['b', 'a']],
  ['-end:done', ['a']],
  ['end:failed OR changed>=3', ['b', 'a']],
  ['error~BROKER', ['a']],
  ['undo:*', ['b']],
])('--where %s', async (where, ids) => {
  expect(await (await setup()).ask(where)).toEqual(ids);
});

test('a wrong query is refused with its place', async () => {
  await expect((await setup()).ask('usr:bob')).rejects.toMatchObject({ code: 'INVALID_QUERY' });
});

test('more runs than one page holds are listed in order', async () => {
  const { log, ask } = await setup();
  const ids = Array.from({ length: 450 }, (_, index) => `d${String(index).padStart(4, '0')}`);
  for (const id of ids) await log.write(createRecord(id));
  expect(await ask(undefined, 10_000)).toEqual([...ids.toReversed(), 'c', 'b', 'a']);
});

test('of more than 10,000 runs the oldest are forgotten', async () => {
  const { session, log, ask } = await setup();
  for (let index = 0; index < 10_100; index += 1) {
    await session.fake.state.write(`audit/e${String(index).padStart(5, '0')}`, JSON.stringify(createRecord('e')));
  }
  await log.trim();
  expect(await session.fake.state.size('audit/')).toBe(10_000);
  expect(await ask('id:a OR id:b OR id:c')).toEqual([]);
});

describe('a read of it', () => {
  test('is no run that is written down', async () => {
    const { session } = await setup();
    await execute(listAudit, { limit: 1 }, { session, auditor: { user: 'ada', host: 'box', profile: null } });
    expect(await session.fake.state.size('audit/')).toBe(3);
  });
});
