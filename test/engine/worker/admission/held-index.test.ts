import { expect, test } from 'vitest';
import {
  encodeHeld,
  heldKey,
  heldPrefix,
  heldTtlMs,
  mayBeHeld,
  parseHeld,
  parseLine,
  parseTask,
} from '../../../../src/engine/worker/admission/held-index.ts';
import { createStoredJob } from '../../../cli/fake-broker.ts';

const job = { queue: 'q/1', task: 'e-mail/send ä', id: 'id/7', createdAt: 1_700_000_000_000 };

test('an entry says which job it is, in which line, and whose rate it waits for', () => {
  const key = heldKey(job, 'concurrency-abc');
  expect(key.startsWith(heldPrefix('q/1', 'e-mail/send ä', 'concurrency-abc'))).toBe(true);
  expect(key.startsWith(heldPrefix('q/1', 'e-mail/send ä'))).toBe(true);
  expect(key.startsWith(heldPrefix('q/1'))).toBe(true);
  expect({ task: parseTask(key), line: parseLine(key) }).toEqual({ task: 'e-mail/send ä', line: 'concurrency-abc' });
  const entry = { key, version: '3', leftMs: 5 };
  expect(parseHeld({ ...entry, value: encodeHeld(job, null) })).toEqual({
    key,
    version: '3',
    id: 'id/7',
    by: 'concurrency',
    worker: null,
  });
  expect(parseHeld({ ...entry, value: encodeHeld(job, 'tq@a') }).worker).toBe('tq@a');
});

test('no name is mistaken for another one that begins like it', () => {
  expect(heldKey({ ...job, queue: 'ab' }, 'rate').startsWith(heldPrefix('a'))).toBe(false);
  expect(heldKey({ ...job, task: 'email.send' }, 'rate').startsWith(heldPrefix('q/1', 'email'))).toBe(false);
});

test('keys sort by when their jobs were created, then by their ids, numbers as numbers', () => {
  const keys = [
    { ...job, id: '9', createdAt: 5 },
    { ...job, id: '10', createdAt: 5 },
    { ...job, id: '1', createdAt: 1_600_000_000_000 },
    { ...job, id: '1', createdAt: 1_700_000_000_000 },
  ].map((each) => heldKey(each, 'pause'));
  expect(keys.toSorted()).toEqual(keys);
  expect(heldKey({ ...job, createdAt: Number.NaN }, 'pause')).toContain('/000000000000000/');
});

test('an entry lives a little longer than its job waits', () => {
  expect(heldTtlMs(1000)).toBeGreaterThan(1000);
});

test('a job is held while its worker moves it and until it is due, and not any more when it waits or has ended', () => {
  expect(mayBeHeld(createStoredJob({ state: 'STARTED' }))).toBe(true);
  expect(mayBeHeld(createStoredJob({ state: 'SCHEDULED', dueAt: 5 }))).toBe(true);
  expect(mayBeHeld(createStoredJob({ state: 'RETRY', dueAt: 5 }))).toBe(true);
  expect(mayBeHeld(createStoredJob({ state: 'RETRY' }))).toBe(false);
  expect(mayBeHeld(createStoredJob({ state: 'SUCCESS' }))).toBe(false);
  expect(mayBeHeld(undefined)).toBe(false);
});
