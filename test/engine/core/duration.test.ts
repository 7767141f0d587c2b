import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../../../src/engine/core/duration.ts';

describe('parseDuration', () => {
  test.each([
    [0, 0],
    [1500, 1500],
    [1.4, 1],
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    [' 1h 30m ', 5_400_000],
    ['1m500ms', 60_500],
    ['3650d', MAX_DURATION_MS],
  ])('reads %j as %i ms', (given, ms) => {
    expect(parseDuration(given, 'delay')).toBe(ms);
  });

  test.each([
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [MAX_DURATION_MS + 1, '315360000001'],
    ['', '""'],
    ['10', '"10"'],
    ['-5s', '"-5s"'],
    ['5 parsecs', '"5 parsecs"'],
    ['1h and 2m', '"1h and 2m"'],
    ['1e3s', '"1e3s"'],
    ['3651d', '"3651d"'],
  ])('refuses %j and repeats it', (given, shown) => {
    expect(() => parseDuration(given, 'delay of task "a"')).toThrow(
      expect.objectContaining({
        code: 'INVALID_DURATION',
        message: `delay of task "a" must be a duration, got ${shown}`,
      }),
    );
  });

  test.each([[5n], [null], [undefined], [{}], [['5s']], [Symbol('s')]])('refuses %s, which is no duration', (given) => {
    expect(() => parseDuration(given as never, 'delay')).toThrow(expect.objectContaining({ code: 'INVALID_DURATION' }));
  });

  test('takes time in proportion to the text, however it is built', () => {
    const startedAt = performance.now();
    expect(() => parseDuration(`${'1h'.repeat(50_000)}x`, 'delay')).toThrow('must be a duration');
    expect(() => parseDuration(`${'1'.repeat(50_000)} ${' '.repeat(50_000)}`, 'delay')).toThrow('must be a duration');
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0ms'],
    [850.4, '850ms'],
    [999.9, '1s'],
    [1000, '1s'],
    [12_000, '12s'],
    [59_999, '1m'],
    [200_000, '3m 20s'],
    [7_500_000, '2h 5m'],
    [7_201_000, '2h'],
    [349_200_000, '4d 1h'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('writes what parseDuration reads back within the precision of its two units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
        const back = parseDuration(formatDuration(ms), 'delay');
        const precision = ms < 1000 ? 1 : ms < 3_600_000 ? 1000 : ms < 86_400_000 ? 60_000 : 3_600_000;
        expect(Math.abs(back - ms)).toBeLessThanOrEqual(precision);
      }),
    );
  });
});
