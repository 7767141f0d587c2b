import { expect, test } from 'vitest';
import { controlCommands } from '../../../src/engine/control/control-commands.ts';
import { parseRevokeOrder, type RevokeOrder, readReceipts } from '../../../src/engine/control/revoke-order.ts';
import { createFakeWorker } from './fake-worker.ts';

const ORDER: RevokeOrder = {
  jobs: [{ id: '7', queue: 'mail', worker: 'tq@a' }],
  revocation: { at: 17, by: null },
  terminate: true,
  graceMs: 500,
};

test('an order comes through JSON as it was', () => {
  expect(parseRevokeOrder(JSON.parse(JSON.stringify(ORDER)))).toEqual(ORDER);
  const { jobs, revocation } = ORDER;
  expect(parseRevokeOrder({ jobs, revocation })).toEqual({ jobs, revocation, terminate: false, graceMs: 0 });
});

test.each([
  null,
  'revoke',
  [],
  {},
  { ...ORDER, jobs: 'all' },
  { ...ORDER, jobs: [{ id: 7, queue: 'mail' }] },
  { ...ORDER, jobs: [{ id: '7' }] },
  { ...ORDER, revocation: { at: 'now', by: null } },
  { ...ORDER, revocation: { at: 9e15, by: null } },
  { ...ORDER, revocation: { at: 17, by: 4 } },
])('what is no order is refused: %j', (args) => {
  expect(() => parseRevokeOrder(args)).toThrow('the arguments of the control command "revoke"');
});

test('what is no receipt is left out', () => {
  const receipt = { id: '7', task: 'work', queue: 'mail', happened: 'aborted' };
  expect(readReceipts([receipt, null, 'x', { id: '7' }, { ...receipt, happened: 1 }])).toEqual([receipt]);
  expect(readReceipts('no list')).toEqual([]);
});

test('a worker obeys the command with its receipts, and lists what it ended', async () => {
  const orders: RevokeOrder[] = [];
  const receipts = [{ id: '7', task: 'work', queue: 'mail', happened: 'killed' as const }];
  const listed = receipts.map((receipt) => ({ ...receipt, at: 17, by: null }));
  const worker = createFakeWorker({
    async revoke(order) {
      orders.push(order);
      return receipts;
    },
    listRevoked: () => listed,
  });
  const clock = { now: () => 0, monotonic: () => 0 };
  expect(await controlCommands.revoke({ worker, clock }, ORDER)).toEqual({ value: receipts });
  expect(orders).toEqual([ORDER]);
  expect(controlCommands.revoked({ worker, clock })).toEqual({ value: listed });
  await expect(controlCommands.revoke({ worker, clock }, {})).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
