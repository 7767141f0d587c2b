import { expect, test } from 'vitest';
import { callControl } from '../../src/ops/call-control.ts';
import { execute } from '../../src/ops/gate.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('tq@a', { 'cache.clear': { cleared: 3 } });
  broker.control.add('tq@b', {});
  return broker;
}

test('the command and its arguments go to the workers, and nobody is asked whether they may', async () => {
  const broker = createBroker();
  const session = createFakeSession(broker);
  const input = { command: 'cache.clear', args: { deep: true }, destinations: ['tq@a'], timeoutMs: 500 };
  expect(await execute(callControl, input, { session })).toEqual({
    kind: 'done',
    result: { answers: new Map([['tq@a', { ok: true, value: { cleared: 3 } }]]), silent: [] },
  });
  expect(broker.control.questions).toEqual([input]);
});

test('without arguments the handler gets null, and silent workers are named', async () => {
  const broker = createBroker();
  const execution = await execute(callControl, { command: 'cache.clear' }, { session: createFakeSession(broker) });
  expect(execution).toMatchObject({ result: { silent: ['tq@b'] } });
  expect(broker.control.questions).toMatchObject([{ command: 'cache.clear', args: null }]);
});

test('a dry run says whom it would ask', async () => {
  const broker = createBroker();
  const execution = await execute(
    callControl,
    { command: 'cache.clear' },
    { session: createFakeSession(broker), dryRun: true },
  );
  expect(execution).toMatchObject({
    kind: 'planned',
    plan: {
      summary: 'would ask 2 workers for "cache.clear"',
      count: 0,
      rows: [{ worker: 'tq@a' }, { worker: 'tq@b' }],
    },
  });
  expect(broker.control.questions).toEqual([]);
});
