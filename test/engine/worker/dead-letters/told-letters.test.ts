import { expect, test } from 'vitest';
import { createError } from '../../../../src/engine/core/errors.ts';
import type { Hooks } from '../../../../src/engine/events/hooks.ts';
import { Reject } from '../../../../src/engine/task/exceptions.ts';
import type { DeadLetter } from '../../../../src/engine/worker/dead-letters/dead-letter.ts';
import { FakeJob } from '../fake-job.ts';
import { createBench } from './bench.ts';

test('a dead letter is told with what a person needs to find it', async () => {
  const letters: DeadLetter[] = [];
  const { consumer, worker } = createBench({
    handler: () => {
      throw Object.assign(new TypeError('no such user 17'), { code: 'ENOUSER' });
    },
    deadLetters: { onDeadLetter: (letter) => void letters.push(letter) },
  });
  await consumer.feed(new FakeJob({ id: 'j1', args: [{ user: 17 }], attempts: 3, meta: { requestId: 'r1' } }));
  await worker.stop();
  expect(letters).toEqual([
    {
      id: 'j1',
      task: 'a.task',
      queue: 'default',
      args: [{ user: 17 }],
      error: {
        name: 'TypeError',
        message: 'no such user 17',
        code: 'ENOUSER',
        fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/),
      },
      attempts: 3,
      worker: 'tq@test',
      requestId: 'r1',
    },
  ]);
});

test.each<[how: string, fields: ConstructorParameters<typeof FakeJob>[0], code: string]>([
  ['whose workers were lost too often', { workersLost: 4 }, 'WORKER_LOST'],
  ['whose data is not JSON', { unreadable: 'Unexpected end' }, 'INVALID_PAYLOAD'],
  ['that must not run twice', { task: 'once', workersLost: 1 }, 'NOT_RUN_AGAIN'],
  ['that was rejected', { task: 'rejecting' }, 'REJECTED'],
])('a job %s is told too, though its function did not fail', async (_, fields, code) => {
  const letters: DeadLetter[] = [];
  const { consumer, worker } = createBench({
    tasks: {
      rejecting: [{}, () => Promise.reject(new Reject('not mine'))],
      once: [{ delivery: 'at-most-once' }, () => 1],
    },
    deadLetters: { onDeadLetter: (letter) => void letters.push(letter) },
  });
  await consumer.feed(new FakeJob(fields));
  await worker.stop();
  expect(letters.map(({ error }) => error.code)).toEqual([code]);
});

test('what is retried, revoked or succeeds is not told', async () => {
  const letters: DeadLetter[] = [];
  const { consumer, worker } = createBench({
    tasks: {
      good: [{}, () => 1],
      again: [{ retry: true }, () => Promise.reject(createError('TIME_LIMIT', { task: 'again', limitMs: 1 }))],
    },
    deadLetters: { onDeadLetter: (letter) => void letters.push(letter) },
  });
  await consumer.feed(new FakeJob({ task: 'good' }));
  await consumer.feed(new FakeJob({ task: 'again' }));
  await consumer.feed(new FakeJob({ revoked: { at: 1, by: null, reason: null, terminate: false } as never }));
  await worker.stop();
  expect(letters).toEqual([]);
});

test('without anything asked for, the consumer is given nothing to tell', () => {
  const hooks: Hooks = {};
  expect(createBench({ hooks }).consumer.options.onDead).toBeUndefined();
});
