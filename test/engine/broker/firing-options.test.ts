import { defaultRepeatStrategy } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { parseRule, readTemplate, repeatStrategy, toTemplate } from '../../../src/engine/broker/firing-options.ts';
import type { ChainRule } from '../../../src/engine/core/schedule/chain.ts';
import { crontab } from '../../../src/engine/core/schedule/crontab.ts';
import type { ScheduleOptions } from '../../../src/engine/core/schedule/schedule-options.ts';
import { made } from '../core/schedule/made.ts';

const REST = { missed: { policy: 'once', windowMs: null, atMost: 100 }, overlap: 'skip' } as const;

function templateOf(options: ScheduleOptions) {
  const rule: ChainRule = { schedule: made(options), ...REST };
  return { rule, template: toTemplate({ rule, runsBefore: 4 }, { priority: 9, ignoreResult: true }) };
}

const UNKNOWN_TO_BULLMQ: readonly [says: RegExp, options: ScheduleOptions][] = [
  [/every 5 minutes/, { every: '5m' }],
  [/once, at 2031-05-01 12:00/, { at: '2031-05-01T12:00Z' }],
  [/sunset/, { solar: { event: 'sunset', latitude: 52.5, longitude: 13.4 } }],
  [/03:00/, { cron: crontab({ hour: 3, minute: 0 }) }],
];

describe('what a firing carries for the next one', () => {
  test('the rule comes back as it was, whatever a store does to numbers and to null', () => {
    const { rule, template } = templateOf({ cron: '0 3 * * *', timezone: 'Europe/Berlin', maxRuns: 3, jitter: 2000 });
    const read = readTemplate(JSON.parse(JSON.stringify({ ...template, attempts: 1, delay: 5 })));
    expect(read).toEqual(template);
    expect(parseRule(template, 'nightly')).toEqual({ rule, runsBefore: 4 });
    expect(template).toMatchObject({ priority: 1, removeOnComplete: true });
  });

  test('what plain BullMQ made has none', () => {
    for (const options of [undefined, {}, { repeat: {} }, { repeat: { pattern: '* * * * *', tz: 'UTC' } }]) {
      expect(readTemplate(options)).toBeUndefined();
    }
  });

  test('a cron expression that BullMQ understands is its pattern', () => {
    const { template } = templateOf({ cron: '0 3 * * mon', timezone: 'Europe/Berlin' });
    expect(template.repeat).toMatchObject({ pattern: '0 3 * * mon', tz: 'Europe/Berlin' });
  });

  test.each(UNKNOWN_TO_BULLMQ)('anything else says what it is, and BullMQ refuses it: %s', (says, options) => {
    const { pattern, tz } = templateOf(options).template.repeat;
    expect(pattern).toMatch(says);
    expect(() => defaultRepeatStrategy(0, { pattern, tz })).toThrow();
  });
});

test("BullMQ's strategy decides for its own schedulers alone", () => {
  const own = { pattern: '0 0 1 1 *', tz: 'UTC' };
  expect(repeatStrategy(0, own)).toBe(defaultRepeatStrategy(0, own));
  expect(repeatStrategy(5, templateOf({ every: '5m' }).template.repeat)).toBe(6);
});
