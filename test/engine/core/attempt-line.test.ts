import { expect, test } from 'vitest';
import { type AttemptMark, formatAttemptLine, parseAttemptLine } from '../../../src/engine/core/attempt-line.ts';

const MARK: AttemptMark = {
  number: 3,
  end: 'retry',
  startedAt: Date.parse('2031-05-01T12:00:00.123Z'),
  endedAt: Date.parse('2031-05-01T12:00:01Z'),
  worker: 'tq@host',
};
const STACK = 'Error: no\n    at f (/a.ts:1:2)';

test('the mark of an attempt reads like a frame of its stack', () => {
  expect(formatAttemptLine(STACK, MARK)).toBe(
    `${STACK}\n    at tq attempt 3 (retry, 2031-05-01T12:00:00.123Z to 2031-05-01T12:00:01.000Z, tq@host)`,
  );
});

test.each<[string, string, Partial<AttemptMark>]>([
  ['a stack', STACK, {}],
  ['a stack without frames', 'Error: no', { end: 'dead' }],
  ['an empty one', '', { end: 'lost' }],
  ['a stack that ends with such a line itself', formatAttemptLine(STACK, MARK), { number: 12 }],
  ['an attempt without times and worker', STACK, { startedAt: null, endedAt: null, worker: null }],
  ['a worker with an odd name', STACK, { worker: 'a), b (c, d) ü' }],
])('%s is as it was when its mark is taken off', (_, stack, given) => {
  const mark = { ...MARK, ...given };
  expect(parseAttemptLine(formatAttemptLine(stack, mark))).toEqual({ stack, mark });
});

test('a name with a line break stays on the line', () => {
  const stored = formatAttemptLine(STACK, { ...MARK, worker: 'a\nb' });
  expect(parseAttemptLine(stored)).toEqual({ stack: STACK, mark: { ...MARK, worker: 'a b' } });
});

test.each(['', STACK, `${STACK}\n    at tq attempt x (retry, - to -, w)`, '    at tq attempt 1 (dead, - to -, w)'])(
  'a stack of another worker has no mark: %j',
  (stored) => {
    expect(parseAttemptLine(stored)).toEqual({ stack: stored, mark: null });
  },
);
