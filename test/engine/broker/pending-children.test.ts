import type { IQueueBackend } from 'bullmq';
import { expect, test } from 'vitest';
import { waitForPendingChildren } from '../../../src/engine/broker/pending-children.ts';
import { createFakeBackend, type FakeBackend } from './fake-backend.ts';

const REFUSED = Object.assign(new Error('Job has pending dependencies'), { code: -4 });

function createBackend(answers: Readonly<Record<string, unknown[]>>): FakeBackend {
  const fake = createFakeBackend(['moveToCompleted', 'moveToWaitingChildren']);
  for (const [method, given] of Object.entries(answers)) fake.answers.set(method, given);
  waitForPendingChildren(fake.backend);
  return fake;
}

function complete(backend: IQueueBackend): Promise<unknown> {
  return backend.moveToCompleted({ id: 'job', opts: {} } as never, 1, false, 'token', true);
}

test('a job that can be completed is, and nothing else is asked', async () => {
  const { backend, asked } = createBackend({ moveToCompleted: ['done'] });
  expect(await complete(backend)).toBe('done');
  expect(asked).toEqual(['moveToCompleted']);
});

test('a job with children that are out waits for them, and brings no next job', async () => {
  const { backend, asked } = createBackend({ moveToCompleted: [REFUSED], moveToWaitingChildren: [true] });
  expect(await complete(backend)).toMatchObject({ result: undefined });
  expect(asked).toEqual(['moveToCompleted', 'moveToWaitingChildren']);
});

test('a job whose last child ends in that moment is completed after all', async () => {
  const { backend, asked } = createBackend({ moveToCompleted: [REFUSED, 'done'], moveToWaitingChildren: [false] });
  expect(await complete(backend)).toBe('done');
  expect(asked).toEqual(['moveToCompleted', 'moveToWaitingChildren', 'moveToCompleted']);
});

test('a job that is no longer ours is left alone', async () => {
  const { backend } = createBackend({ moveToCompleted: [REFUSED], moveToWaitingChildren: [undefined] });
  expect(await complete(backend)).toMatchObject({ result: undefined });
});

test('another refusal is passed on', async () => {
  const other = Object.assign(new Error('no'), { code: -9 });
  await expect(complete(createBackend({ moveToCompleted: [other] }).backend)).rejects.toBe(other);
});
