import { expect, test } from 'vitest';
import { listScheduled } from '../../src/ops/list-scheduled.ts';
import { READING } from '../../src/ops/operation.ts';
import { FakeBroker, NOW } from '../cli/fake-broker.ts';
import { createFakeSession } from '../cli/fake-session.ts';

const broker = new FakeBroker()
  .store('high', { id: 'c', state: 'SCHEDULED', dueAt: NOW + 30, priority: 4 }, { id: 'waits' })
  .store('low', { id: 'a', state: 'RETRY', dueAt: NOW + 10 }, { id: 'd', state: 'SCHEDULED', dueAt: NOW + 40 })
  .store('other', { id: 'b', state: 'SCHEDULED', dueAt: NOW + 20 });

const list = (input: { queues?: string[]; limit: number }) =>
  listScheduled.run(createFakeSession(broker), input, READING);

test('the next due first over all queues, retries included, with every field of the contract', async () => {
  const { jobs, total } = await list({ limit: 10 });
  expect(jobs.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
  expect(jobs[2]).toEqual({ id: 'c', task: 'email.send', queue: 'high', dueAt: NOW + 30, priority: 4, held: null });
  expect(total).toBe(4);
});

test('the limit cuts the list and not the total', async () => {
  const { jobs, total } = await list({ limit: 2 });
  expect(jobs.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(total).toBe(4);
});

test('only the queues that were asked for', async () => {
  const { jobs, total } = await list({ queues: ['low', 'low'], limit: 10 });
  expect(jobs.map(({ id }) => id)).toEqual(['a', 'd']);
  expect(total).toBe(2);
});

test('a queue that is not there is refused with near names', async () => {
  await expect(list({ queues: ['hihg'], limit: 10 })).rejects.toMatchObject({
    code: 'UNKNOWN_QUEUE',
    message: expect.stringContaining('"high"'),
  });
});

test('its command line says the same', () => {
  expect(listScheduled.commandLine({ limit: 5 })).toEqual(['inspect', 'scheduled', '--limit', '5']);
  expect(listScheduled.commandLine({ queues: ['a', 'b'], limit: 5 })).toEqual([
    ...['inspect', 'scheduled', '-Q', 'a,b', '--limit', '5'],
  ]);
});
