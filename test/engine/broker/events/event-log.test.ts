import { describe, expect, test } from 'vitest';
import { mergeLogs, type RawEntry, shareOf } from '../../../../src/engine/broker/events/event-log.ts';
import { toLogEntry } from '../../../../src/engine/broker/events/log-entry.ts';

const entry = (queue: string, at: number, position = `${at}-0`): RawEntry => ({ queue, at, position, fields: {} });
const whole = (...entries: RawEntry[]) => ({ entries, hasMore: false });
const begun = (...entries: RawEntry[]) => ({ entries, hasMore: true });
const ats = (entries: readonly RawEntry[]): string[] => entries.map(({ queue, at }) => `${queue}${at}`);

describe('logs that were read together', () => {
  test('come in the order of their instants', () => {
    expect(ats(mergeLogs([whole(entry('a', 1), entry('a', 4)), whole(entry('b', 2), entry('b', 3))]))).toEqual([
      'a1',
      'b2',
      'b3',
      'a4',
    ]);
  });

  test('keep the order of each queue, whatever its clock did', () => {
    expect(ats(mergeLogs([whole(entry('a', 5), entry('a', 1), entry('a', 6)), whole(entry('b', 2))]))).toEqual([
      'b2',
      'a5',
      'a1',
      'a6',
    ]);
  });

  test('end where a log that goes on was read to', () => {
    const busy = begun(entry('a', 1), entry('a', 3));
    expect(ats(mergeLogs([busy, whole(entry('b', 2), entry('b', 3), entry('b', 4))]))).toEqual([
      'a1',
      'b2',
      'a3',
      'b3',
    ]);
  });

  test('are nothing when there are none', () => {
    expect(mergeLogs([])).toEqual([]);
    expect(mergeLogs([whole()])).toEqual([]);
  });
});

test('one read gives about a thousand entries, however many queues there are', () => {
  expect([0, 1, 10, 100, 5000].map(shareOf)).toEqual([1000, 1000, 100, 10, 10]);
});

describe('an entry of a log', () => {
  const read = (fields: Record<string, string>) => toLogEntry({ ...entry('q', 7), fields });

  test.each([
    [
      { event: 'added', jobId: '1', name: 'task' },
      { kind: 'added', task: 'task' },
    ],
    [
      { event: 'waiting', jobId: '1' },
      { kind: 'ready', from: 'new' },
    ],
    [
      { event: 'waiting', jobId: '1', prev: 'delayed' },
      { kind: 'ready', from: 'scheduled' },
    ],
    [
      { event: 'waiting', jobId: '1', prev: 'active' },
      { kind: 'ready', from: 'running' },
    ],
    [
      { event: 'waiting', jobId: '1', prev: 'failed' },
      { kind: 'ready', from: 'ended' },
    ],
    [
      { event: 'waiting', jobId: '1', prev: 'waiting-children' },
      { kind: 'ready', from: 'blocked' },
    ],
    [
      { event: 'delayed', jobId: '1', delay: '99' },
      { kind: 'scheduled', dueAt: 99 },
    ],
    [{ event: 'waiting-children', jobId: '1' }, { kind: 'blocked' }],
    [{ event: 'active', jobId: '1', prev: 'waiting' }, { kind: 'taken' }],
    [
      { event: 'completed', jobId: '1', returnvalue: '{"a":1}' },
      { kind: 'completed', state: 'SUCCESS', reason: null },
    ],
    [
      { event: 'completed', jobId: '1', returnvalue: '{"$tq":{"state":"REVOKED","reason":"expired"}}' },
      { kind: 'completed', state: 'REVOKED', reason: 'expired' },
    ],
    [
      { event: 'failed', jobId: '1', failedReason: 'no' },
      { kind: 'failed', message: 'no' },
    ],
    [
      { event: 'progress', jobId: '1', data: '{"a":[1]}' },
      { kind: 'progress', progress: { a: [1] } },
    ],
  ])('%j', (fields, expected) => {
    expect(read(fields as Record<string, string>)).toEqual({ queue: 'q', id: '1', at: 7, ...expected });
  });

  test('that says nothing of a job is none of ours', () => {
    for (const event of ['drained', 'paused', 'resumed', 'cleaned']) expect(read({ event })).toBeUndefined();
    for (const event of ['stalled', 'duplicated', 'retries-exhausted', 'removed', 'of the application', '__proto__']) {
      expect(read({ event, jobId: '1' })).toBeUndefined();
    }
  });

  test('with fields that nobody would expect is read all the same', () => {
    expect(read({ event: 'completed', jobId: '1', returnvalue: 'no json' })).toMatchObject({ state: 'SUCCESS' });
    expect(read({ event: 'completed', jobId: '1', returnvalue: '{"$tq":{"state":"X","reason":5}}' })).toMatchObject({
      state: 'SUCCESS',
      reason: null,
    });
    expect(read({ event: 'completed', jobId: '1' })).toMatchObject({ state: 'SUCCESS' });
    expect(read({ event: 'delayed', jobId: '1', delay: 'x' })).toMatchObject({ dueAt: 7 });
    expect(read({ event: 'progress', jobId: '1', data: '{' })).toMatchObject({ progress: null });
    expect(read({ event: 'waiting', jobId: '1', prev: 'constructor' })).toMatchObject({ kind: 'ready' });
    expect(read({ event: 'added', jobId: '1' })).toMatchObject({ task: '' });
  });
});
