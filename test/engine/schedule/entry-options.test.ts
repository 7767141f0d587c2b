import { describe, expect, test } from 'vitest';
import { type EntryOptions, parseEntry } from '../../../src/engine/schedule/entry-options.ts';
import type { MissedOptions } from '../../../src/engine/schedule/missed-options.ts';
import { defineTask } from '../../../src/engine/task/definition.ts';
import { define, facts } from '../../support/entry-definitions.ts';

const minimal = { task: 'work', every: '1h' } as const;

function fault(options: object, name = 'nightly'): { code: string; message: string } {
  try {
    parseEntry(name, { ...minimal, ...options } as EntryOptions, facts);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('nothing was refused');
}

test('what is left out has its default', () => {
  expect(parseEntry('nightly', minimal, facts)).toEqual({
    ...{ task: 'work', args: [], queue: 'default', overlap: 'allow', call: {}, description: null },
    missed: { policy: 'once', windowMs: null, atMost: 100 },
    schedule: expect.objectContaining({ rule: { kind: 'every', everyMs: 3_600_000 }, timezone: 'UTC' }),
  });
});

test('every option has its place', () => {
  const definition = define({
    ...{ task: Object.assign(() => undefined, { taskName: 'known.task' }), args: [1, undefined], queue: 'low' },
    ...{ cron: '0 3 * * *', timezone: 'Europe/Berlin', startAt: '2031-01-01', endAt: '2032-01-01', maxRuns: 9 },
    ...{ jitter: '10s', overlap: 'replace', missed: { policy: 'skip', within: '2m' }, priority: 0, expires: '1h' },
    ...{ headers: { a: 'b' }, softTimeLimit: '1s', timeLimit: '2s', retry: { max: 2, delay: '1s' } },
    ...{ resultExpires: '2h', ignoreResult: true, description: 'at night' },
  });
  expect(definition).toMatchObject({
    ...{ task: 'known.task', args: [1], queue: 'low', overlap: 'replace', description: 'at night' },
    missed: { policy: 'skip', windowMs: 120_000, atMost: 100 },
    schedule: { timezone: 'Europe/Berlin', maxRuns: 9, jitterMs: 10_000 },
  });
  expect(definition.call).toEqual({
    ...{ priority: 0, expiresMs: 3_600_000, headers: { a: 'b' }, softTimeLimitMs: 1000, timeLimitMs: 2000 },
    ...{ retry: { max: 2, delay: 1000 }, resultExpiresMs: 7_200_000, ignoreResult: true },
  });
});

test('what a call takes from its task is taken when the entry is read', () => {
  const definition = defineTask('report', { priority: 4, expires: '1h', resultExpires: '30m' }, () => 1);
  const entry = parseEntry(
    'nightly',
    { task: 'report', every: '1d' },
    {
      ...facts,
      resolve: () => ({ queue: 'reports', definition }),
    },
  );
  expect(entry).toMatchObject({
    queue: 'reports',
    call: { priority: 4, expiresMs: 3_600_000, resultExpiresMs: 1_800_000 },
  });
});

test('arguments are a copy: what is changed later changes no entry', () => {
  const args = [{ a: 1 }];
  const entry = define({ args });
  (args[0] as { a: number }).a = 2;
  expect(entry.args).toEqual([{ a: 1 }]);
});

test('the bounds of missed runs', () => {
  const missed = (options: MissedOptions, jitter?: string) =>
    define({ missed: options, ...(jitter !== undefined && { jitter }) }).missed;
  expect(missed('all')).toEqual({ policy: 'all', windowMs: null, atMost: 100 });
  expect(missed({ policy: 'all', within: '2h', atMost: 50 })).toEqual({
    policy: 'all',
    windowMs: 7_200_000,
    atMost: 50,
  });
  expect(missed('skip')).toEqual({ policy: 'skip', windowMs: 60_000, atMost: 100 });
  expect(missed('skip', '5m')).toEqual({ policy: 'skip', windowMs: 360_000, atMost: 100 });
  expect(missed({ policy: 'once', within: '1h' })).toEqual({ policy: 'once', windowMs: 3_600_000, atMost: 100 });
});

describe('names', () => {
  test.each(['a', 'reports/daily', 'A.b_c-9', 'x'.repeat(100)])('%s is one', (name) => {
    expect(() => parseEntry(name, minimal, facts)).not.toThrow();
  });

  test.each(['', 'a b', 'a:b', 'ä', 'x'.repeat(101)])('"%s" is none', (name) => {
    expect(fault({}, name)).toMatchObject({ code: 'INVALID_ENTRY_NAME' });
  });
});

test.each<[object, string, string]>([
  [{ evry: '1h' }, 'UNKNOWN_OPTION', 'did you mean "every"'],
  [{ countdown: '1h' }, 'UNKNOWN_OPTION', 'schedule entry "nightly" has no option "countdown"'],
  [{ task: 7 }, 'INVALID_OPTION', 'task of schedule entry "nightly" must be a task or the name of one'],
  [{ task: undefined }, 'INVALID_OPTION', 'task of schedule entry "nightly"'],
  [{ cron: '0 3 * * *' }, 'INVALID_SCHEDULE', 'every and cron'],
  [{ every: undefined, cron: '0 0 31 2 *' }, 'INVALID_SCHEDULE', 'February has no day 31'],
  [{ timezone: 'Europe/Berlyn' }, 'INVALID_SCHEDULE', 'did you mean "Europe/Berlin"'],
  [{ args: { a: 1 } }, 'INVALID_OPTION', 'args of schedule entry "nightly" must be the list'],
  [{ args: [new Date(0)] }, 'NOT_JSON', 'args[0]'],
  [{ args: ['x'.repeat(1000)] }, 'PAYLOAD_TOO_LARGE', '1000'],
  [{ overlap: 'queue' }, 'INVALID_OPTION', '"allow", "skip" or "replace"'],
  [{ enabled: 'no' }, 'INVALID_OPTION', 'enabled of schedule entry "nightly" must be true or false'],
  [{ queue: 7 }, 'INVALID_OPTION', 'queue of schedule entry "nightly"'],
  [{ description: 7 }, 'INVALID_OPTION', 'description'],
  [{ priority: 10 }, 'INVALID_OPTION', 'priority of schedule entry "nightly" must be a whole number from 0 to 9'],
  [{ headers: { a: 1 } }, 'INVALID_OPTION', 'headers of schedule entry "nightly"'],
  [{ expires: new Date(0) }, 'INVALID_DURATION', 'expires of schedule entry "nightly"'],
  [{ expires: '1m', jitter: '1m' }, 'INVALID_SCHEDULE', 'expires: it is not longer than jitter'],
  [{ softTimeLimit: '2m', timeLimit: '1m' }, 'INVALID_OPTION', 'softTimeLimit of schedule entry "nightly"'],
  [{ retry: { max: -1 } }, 'INVALID_OPTION', 'retry of schedule entry "nightly"'],
  [{ resultExpires: '2d' }, 'INVALID_OPTION', 'resultExpires of schedule entry "nightly"'],
  [{ ignoreResult: 'yes' }, 'INVALID_OPTION', 'ignoreResult of schedule entry "nightly"'],
  [{ missed: 'some' }, 'INVALID_SCHEDULE', 'missed: "some" is no policy'],
  [{ missed: 7 }, 'INVALID_SCHEDULE', 'missed: 7 is no policy'],
  [{ missed: { policy: 'once', whithin: '1h' } }, 'UNKNOWN_OPTION', 'did you mean "within"?'],
  [{ missed: { policy: 'once', within: 10 } }, 'INVALID_SCHEDULE', 'missed.within: 10 is shorter than 1s'],
  [
    { missed: { policy: 'skip', within: '1m' }, jitter: '1m' },
    'INVALID_SCHEDULE',
    'missed.within: it is not longer than jitter',
  ],
  [{ missed: { policy: 'once', atMost: 5 } }, 'INVALID_SCHEDULE', 'missed.atMost: "once" makes up for one at most'],
  [{ missed: { policy: 'all', atMost: 1001 } }, 'INVALID_SCHEDULE', 'missed.atMost: 1001'],
  [{ missed: 'all', overlap: 'skip' }, 'INVALID_SCHEDULE', 'missed: "all" makes up for several at once'],
])('%o is refused', (options, code, words) => {
  const { code: given, message } = fault(options);
  expect(given).toBe(code);
  expect(message).toContain(words);
});

test('a task that is not among those that may be named is refused with near names', () => {
  const wrong = (): unknown =>
    parseEntry('nightly', { ...minimal, task: 'report.bild' }, { ...facts, taskNames: ['report.build', 'mail.send'] });
  expect(wrong).toThrow('no task "report.bild" is registered; did you mean "report.build"?');
});

test('what is no object is refused', () => {
  expect(() => parseEntry('nightly', 'work' as never, facts)).toThrow('schedule entry "nightly" must be an object');
});
