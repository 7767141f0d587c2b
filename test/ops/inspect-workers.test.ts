import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { inspectWorkers } from '../../src/ops/inspect-workers.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

test('asks all live workers, for two seconds unless it is told otherwise', async () => {
  const broker = new FakeBroker();
  broker.control.add('a', { ping: 'pong' });
  broker.control.add('b', {});
  const session = createFakeSession(broker);
  expect(await execute(inspectWorkers, { command: 'ping' }, { session })).toEqual({
    kind: 'done',
    result: { answers: new Map([['a', { ok: true, value: 'pong' }]]), silent: ['b'] },
  });
  await execute(inspectWorkers, { command: 'stats', destinations: ['a'], timeoutMs: 50 }, { session });
  expect(broker.control.questions).toEqual([
    { command: 'ping', args: null, timeoutMs: 2000 },
    { command: 'stats', args: null, destinations: ['a'], timeoutMs: 50 },
  ]);
});

test('asks nothing that changes a worker', async () => {
  const asked = execute(inspectWorkers, { command: 'shutdown' }, { session: createFakeSession() });
  await expect(asked).rejects.toMatchObject({ code: 'USAGE' });
});

test('a broker that is away is the error', async () => {
  const session = createFakeSession(new FakeBroker().break());
  await expect(execute(inspectWorkers, { command: 'ping' }, { session })).rejects.toMatchObject({
    code: 'BROKER_UNAVAILABLE',
  });
});
