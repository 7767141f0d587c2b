import { describe, expect, test } from 'vitest';
import { parseAppOptions } from '../../../src/engine/app/app-settings.ts';
import type { AppOptions } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { TqError } from '../../../src/engine/core/errors.ts';

function mistakesOf(options: object): string {
  try {
    parseAppOptions(options as AppOptions);
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', exitCode: 2 });
    return (error as TqError).message;
  }
  throw new Error('the options were accepted');
}

test('an app without options has the queue default, no retries and the documented defaults', () => {
  expect(parseAppOptions({})).toMatchObject({
    queues: [{ name: 'default', priorities: false }],
    queuesAreClosed: false,
    defaultQueue: 'default',
    retry: { max: 0 },
    keepResultSeconds: 86_400,
    payloadLimit: 1_048_576,
    unknownTasks: { max: 15, delayMs: 5000, maxDelayMs: 60_000, jitter: false },
    maxWorkerLost: 3,
  });
});

test('every mistake is named at once', () => {
  const message = mistakesOf({
    broker: 5,
    queues: ['high', 'low'],
    defaultQueue: 'hihg',
    routes: { 'email.*': 'mail', '*': 'low' },
    retry: { max: -1 },
    resultExpires: 'for ever',
    payloadLimit: Number.NaN,
    unknownTasks: { delay: '-5s' },
    maxWorkerLost: 1.5,
    hooks: { taskStarts: () => {}, taskStart: 'log it' },
    payloadLimits: 5,
  });
  expect(message.split('\n')).toEqual([
    'createApp() has 11 mistakes:',
    '  - createApp() has no option "payloadLimits", did you mean "payloadLimit"?',
    '  - broker must be a URL, got 5',
    '  - hooks has no option "taskStarts", did you mean "taskStart"?',
    '  - the hook taskStart must be a function, got "log it"',
    '  - defaultQueue names the queue "hihg", which `queues` does not',
    '  - the route "email.*" names the queue "mail", which `queues` does not',
    '  - max in retry must be a whole number from 0 to 1000, got -1',
    '  - resultExpires must be a duration, got "for ever"',
    '  - payloadLimit must be a whole number from 0, got NaN',
    '  - delay in unknownTasks must be a duration, got "-5s"',
    '  - maxWorkerLost must be a whole number from 0, got 1.5',
  ]);
});

test('createApp() refuses what parseAppOptions() refuses', () => {
  expect(() => createApp({ queues: [] }, { env: {} })).toThrow('createApp() has a mistake:\n  - queues must be a list');
});

describe('queues', () => {
  test('are names, or names with what they can do', () => {
    expect(parseAppOptions({ queues: ['high', { name: 'low', priorities: true }] })).toMatchObject({
      queues: [
        { name: 'high', priorities: false },
        { name: 'low', priorities: true },
      ],
      queuesAreClosed: true,
      defaultQueue: 'high',
    });
  });

  test.each<[string, object, string]>([
    ['an empty list', { queues: [] }, 'queues must be a list of at least one queue, got []'],
    ['a text', { queues: 'high,low' }, 'queues must be a list of at least one queue, got "high,low"'],
    ['a double', { queues: ['a', 'b', 'a'] }, 'queues must be a list without doubles, got "a" twice'],
    ['a colon, which BullMQ uses in keys', { queues: ['a:b'] }, 'the name of a queue must be a text'],
    ['a space', { queues: ['a b'] }, 'without spaces, colons and commas, got "a b"'],
    ['null', { queues: [null] }, 'without spaces, colons and commas, got null'],
    ['no name', { queues: [{ priorities: true }] }, 'without spaces, colons and commas, got undefined'],
    ['a misspelt property', { queues: [{ name: 'a', priority: true }] }, 'queue "a" has no option "priority"'],
    [
      'priorities that are no boolean',
      { queues: [{ name: 'a', priorities: 'yes' }] },
      'priorities of queue "a" must be true or false, got "yes"',
    ],
    ['a name with a space', { name: 'my app' }, 'name must be a text of 1 to 100 letters, digits, `.`, `_` and `-`'],
    ['a time zone that is none', { timezone: 'Mars' }, 'timezone must be an IANA name such as Europe/Berlin or UTC'],
    ['a bad default', { defaultQueue: 'a:b' }, 'the name of a queue must be a text'],
    ['a bad route', { routes: { '*': 'a b' } }, 'the name of a queue must be a text'],
  ])('refuse %s', (_, options, message) => {
    expect(mistakesOf(options)).toContain(message);
  });

  test('prefer the one called default as the default, wherever it stands', () => {
    expect(parseAppOptions({ queues: ['high', 'default'] }).defaultQueue).toBe('default');
    expect(parseAppOptions({ queues: ['high', 'low'], defaultQueue: 'low' }).defaultQueue).toBe('low');
  });
});

test.each<[option: unknown, limits: unknown]>([
  [undefined, undefined],
  [{}, undefined],
  [{ maxAge: '30d' }, { maxAgeMs: 2_592_000_000, maxCount: undefined }],
  [{ maxCount: 0 }, { maxAgeMs: undefined, maxCount: 0 }],
])('dead letters are kept for ever unless the app says otherwise: %j', (deadLetters, limits) => {
  expect(parseAppOptions({ deadLetters } as AppOptions).deadLetters).toEqual(limits);
});

test.each<[option: unknown, mistake: string]>([
  [30, 'deadLetters must be an object { maxAge, maxCount }, got 30'],
  [{ maxage: '1d' }, 'maxage'],
  [{ maxAge: '30s' }, 'maxAge of deadLetters must be 1m or more, got "30s"'],
  [{ maxAge: 'a month' }, 'maxAge of deadLetters must be a duration, got "a month"'],
  [{ maxCount: -1 }, 'maxCount of deadLetters must be a whole number from 0, got -1'],
])('what is wrong with deadLetters is named: %j', (deadLetters, mistake) => {
  expect(mistakesOf({ deadLetters })).toContain(mistake);
});

test('onDeadLetter and alerts are checked with the other options', () => {
  const message = mistakesOf({
    onDeadLetter: 'log it',
    alerts: [{ webhook: 'https://chat.example/T0K3N', threshold: 0 }],
  });
  expect(message.split('\n')).toEqual([
    'createApp() has 2 mistakes:',
    '  - onDeadLetter must be a function, got "log it"',
    '  - threshold of alerts[0] must be a whole number from 1, got 0',
  ]);
});
