import { describe, expect, test } from 'vitest';
import { TaskRevoked } from '../../../src/engine/core/errors.ts';
import {
  createTaskRevoked,
  describeRevocation,
  formatMark,
  MARK_PREFIX,
  parseMark,
  revokedOutcome,
} from '../../../src/engine/core/revocation.ts';

const AT = Date.parse('2031-05-01T12:00:00Z');

describe('the mark', () => {
  test.each<[string, string | null, string]>([
    ['with a name', 'ada@box', 'tq: revoked by ada@box at 2031-05-01T12:00:00.000Z'],
    ['without a name', null, 'tq: revoked at 2031-05-01T12:00:00.000Z'],
    ['with a name that reads like one', 'x at y by z', 'tq: revoked by x at y by z at 2031-05-01T12:00:00.000Z'],
  ])('is read back as it was written: %s', (_, by, text) => {
    expect(formatMark({ at: AT, by })).toBe(text);
    expect(text.startsWith(MARK_PREFIX)).toBe(true);
    expect(parseMark(text)).toEqual({ at: AT, by });
  });

  test.each([
    undefined,
    null,
    '',
    'job stalled more than allowable limit',
    'child bull:q:1 failed',
    'tq: revoked',
    'tq: revoked at noon',
    'tq: revoked at 2031-99-99T00:00:00Z',
    'x tq: revoked at 2031-05-01T12:00:00.000Z',
  ])('is none of what others write there: %j', (text) => {
    expect(parseMark(text)).toBeUndefined();
  });

  test('is one line whatever the name holds, and not a long one', () => {
    const text = formatMark({ at: AT, by: `a\r\n\0b${'x'.repeat(10_000)}` });
    expect(text).toMatch(/^tq: revoked by a bx{197} at 2031-05-01T12:00:00\.000Z$/);
    expect(formatMark({ at: AT, by: ' \n ' })).toBe('tq: revoked at 2031-05-01T12:00:00.000Z');
  });
});

test('a revoked job ends with who asked and when', () => {
  const reason = describeRevocation({ at: AT, by: 'ada' });
  expect(revokedOutcome({ at: AT, by: 'ada' })).toEqual({ kind: 'ended', state: 'REVOKED', reason });
});

test('the reason of a signal is a TaskRevoked that says who asked and whether it is waited for', () => {
  const error = createTaskRevoked({ id: 'j', task: 'work' }, { at: AT, by: null }, true);
  expect(error).toBeInstanceOf(TaskRevoked);
  expect(error).toMatchObject({ code: 'TASK_REVOKED', by: null, terminate: true });
  expect(error.message).toBe('job j of task "work" was revoked: at 2031-05-01T12:00:00.000Z');
});
