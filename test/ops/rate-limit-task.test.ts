import { expect, test } from 'vitest';
import { execute } from '../../src/ops/gate.ts';
import { rateLimitTask } from '../../src/ops/rate-limit-task.ts';
import { FakeBroker } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

function createBroker(): FakeBroker {
  const broker = new FakeBroker();
  broker.control.add('a', { 'rate-limit': { task: 'email.send', rate: '10/m' } });
  broker.control.add('b', { 'rate-limit': new Error('no such task') });
  return broker;
}

test('tells the workers the new rate, and gives their answers', async () => {
  const broker = createBroker();
  const session = createFakeSession(broker);
  const execution = await execute(rateLimitTask, { task: 'email.send', rate: '10/60s' }, { session });
  expect(execution).toMatchObject({
    result: {
      answers: new Map([
        ['a', { ok: true, value: { task: 'email.send', rate: '10/m' } }],
        ['b', { ok: false, error: { message: 'no such task' } }],
      ]),
    },
  });
  await execute(rateLimitTask, { task: 'email.send', rate: '0', destinations: ['a'] }, { session });
  expect(broker.control.questions).toMatchObject([
    { command: 'rate-limit', args: { task: 'email.send', rate: '10/m', id: expect.any(String), toAll: true } },
    { command: 'rate-limit', args: { task: 'email.send', rate: null, toAll: false }, destinations: ['a'] },
  ]);
});

test('a dry run says whom it would tell', async () => {
  const broker = createBroker();
  const plan = (rate: string) =>
    execute(rateLimitTask, { task: 'a', rate }, { session: createFakeSession(broker), dryRun: true });
  expect(await plan('10/m')).toMatchObject({
    plan: { summary: 'would set the rate limit to 10/m of task "a" in 2 workers', count: 0 },
  });
  expect(await plan('0')).toMatchObject({
    plan: { summary: 'would remove the rate limit of task "a" in 2 workers' },
  });
  expect(broker.control.questions).toEqual([]);
});

test('what is no rate is refused', async () => {
  const asked = execute(rateLimitTask, { task: 'a', rate: 'often' }, { session: createFakeSession() });
  await expect(asked).rejects.toMatchObject({ code: 'INVALID_OPTION' });
});
