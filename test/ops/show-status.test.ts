import { expect, test } from 'vitest';
import { READING } from '../../src/ops/operation.ts';
import { showStatus } from '../../src/ops/show-status.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const STATS = {
  ...{ name: 'one', host: 'box', pid: 7, version: '1.2.3', node: 'v24', pool: 'async', concurrency: 4, pids: [7] },
  ...{ queues: ['high'], startedAt: 1, uptimeMs: 60_000, active: 2, reserved: 0, jobs: {}, memory: {}, cpu: {} },
};

test('is what the workers say of themselves, and the queues of the broker', async () => {
  const broker = new FakeBroker().store('high', {});
  broker.control.add('one', { stats: STATS });
  broker.control.add('mute', {});
  broker.control.add('odd', { stats: 'not a record' });
  const status = await showStatus.run(createFakeSession(broker), {}, READING);
  expect(status.workers).toEqual([
    {
      ...{ name: 'one', host: 'box', pid: 7, pool: 'async', concurrency: 4, active: 2, queues: ['high'] },
      ...{ uptimeMs: 60_000, version: '1.2.3' },
    },
  ]);
  expect(status.replies.silent).toEqual(['mute']);
  expect(status.queues.map(({ queue }) => queue)).toEqual(['high', 'dead_letter']);
});
