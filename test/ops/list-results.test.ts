import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { listResults } from '../../src/ops/list-results.ts';
import { READING } from '../../src/ops/operation.ts';
import { NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';
import { createRow } from '../engine/broker/result-store/result-stores.ts';
import { FakeResultStore } from '../engine/worker/fake-result-store.ts';

async function list(input: Parameters<typeof listResults.run>[1], count = 3) {
  const session = createFakeSession();
  const store = new FakeResultStore();
  session.fakeResults.store = store;
  await store.write(
    Array.from({ length: count }, (_, index) => createRow({ id: `r${index}`, finishedAt: NOW - index })),
  );
  return await listResults.run(session, input, READING);
}

const FIELDS = [
  ...'id task queue state result error attempts progress createdAt startedAt finishedAt worker schedule'.split(' '),
  ...'args reason durationMs requestId parentId rootId workflowId'.split(' '),
];

test('gives the fields of `tq result` first, and what the row has beside', async () => {
  const [first, ...rest] = await list({ limit: 10 });
  expect(Object.keys(first ?? {})).toEqual(FIELDS);
  expect(first).toMatchObject({ id: 'r0', result: { sent: 1 }, args: [{ to: 'a@b.c' }], requestId: 'r0' });
  expect(rest).toHaveLength(2);
});

test('ends at its limit, and asks for no page beyond it', async () => {
  expect((await list({ limit: 2 })).map(({ id }) => id)).toEqual(['r0', 'r1']);
  expect(await list({ limit: 1100 }, 1200)).toHaveLength(1100);
});

test('gives what a query takes, whatever the store gave', async () => {
  expect((await list({ where: 'id:r1', limit: 10 })).map(({ id }) => id)).toEqual(['r1']);
});

test('without a result store says how to name one', async () => {
  await expect(execute(listResults, { limit: 5 }, { session: createFakeSession() })).rejects.toMatchObject({
    code: 'RESULTS_OFF',
    next: expect.stringContaining('--results'),
  });
});
