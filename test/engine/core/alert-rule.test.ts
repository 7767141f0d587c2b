import { expect, test } from 'vitest';
import { parseAlerts } from '../../../src/engine/core/alert-rule.ts';

const WEBHOOK = 'https://chat.example/hooks/T0K3N';

test('a rule that says only whom to tell counts all dead letters, ten in five minutes', () => {
  expect(parseAlerts([{ webhook: WEBHOOK }])).toEqual({
    mistakes: [],
    rules: [
      {
        name: '10 dead letters in 5m',
        queue: null,
        task: null,
        fingerprint: null,
        per: 'rule',
        threshold: 10,
        windowMs: 300_000,
        webhook: WEBHOOK,
        secret: null,
        email: [],
      },
    ],
  });
});

test('a rule may narrow what it counts, count apart, sign, and tell several people', () => {
  const rule = {
    name: 'mail',
    queue: 'high',
    task: ['email.*', 'sms.*'],
    fingerprint: '4f*',
    per: 'fingerprint',
    threshold: 1,
    window: '1h',
    webhook: WEBHOOK,
    secret: 'correct horse',
    email: ['ops@example.com', 'On Call <call@example.com>'],
  };
  expect(parseAlerts([rule])).toEqual({
    mistakes: [],
    rules: [{ ...rule, window: undefined, queue: ['high'], fingerprint: ['4f*'], windowMs: 3_600_000 }].map(
      ({ window: _, ...one }) => one,
    ),
  });
});

test('a rule without a name is called by what it counts', () => {
  const { rules } = parseAlerts([
    { email: 'a@x.example', queue: ['a', 'b'], threshold: 1, per: 'task', window: 90_000 },
  ]);
  expect(rules.map(({ name }) => name)).toEqual(['1 dead letter in 1m 30s: queue a|b, per task']);
});

test.each<[mistake: string, rules: unknown]>([
  ['alerts must be a list of rules, got an object', { webhook: WEBHOOK }],
  ['alerts[0] must be an object, got another text', [WEBHOOK]],
  ['alerts[0] has no option "treshold", did you mean "threshold"?', [{ webhook: WEBHOOK, treshold: 5 }]],
  ['alerts[0] says nobody to tell: give it a `webhook` or an `email`', [{ threshold: 5 }]],
  [
    'name of alerts[0] must be a text of 1 to 200 characters on one line, got "a\\nb"',
    [{ name: 'a\nb', webhook: WEBHOOK }],
  ],
  [
    'queue of alerts[0] must be a pattern such as "email.*", or a list of them, got 5',
    [{ queue: 5, webhook: WEBHOOK }],
  ],
  ['per of alerts[0] must be one of rule, queue, task, fingerprint, got "job"', [{ per: 'job', webhook: WEBHOOK }]],
  ['threshold of alerts[0] must be a whole number from 1, got 0', [{ threshold: 0, webhook: WEBHOOK }]],
  ['window of alerts[0] must be 1s or more, got "10ms"', [{ window: '10ms', webhook: WEBHOOK }]],
  ['window of alerts[0] must be a duration, got "5 min"', [{ window: '5 min', webhook: WEBHOOK }]],
  ['email of alerts[0] must be an address, or a list of 1 to 100 of them, got another text', [{ email: 'ops' }]],
  ['email of alerts[0] must be an address, or a list of 1 to 100 of them, got a list', [{ email: [] }]],
  [
    'secret of alerts[0] must be a text of 8 characters or more, got another text',
    [{ webhook: WEBHOOK, secret: 'short' }],
  ],
  [
    'secret of alerts[0] must be left out without a `webhook`, got one',
    [{ email: 'a@x.example', secret: 'long enough' }],
  ],
  [
    'alerts[1] has the name of an earlier rule, "10 dead letters in 5m"; give it a `name` of its own',
    [{ webhook: WEBHOOK }, { email: 'a@x.example' }],
  ],
])('is refused: %s', (mistake, rules) => {
  expect(parseAlerts(rules).mistakes).toEqual([mistake]);
});

test.each(['T0K3N', 'ftp://chat.example/T0K3N', 'https://user:T0K3N@chat.example', ['T0K3N']])(
  'a webhook that cannot be is refused without being shown: %j',
  (webhook) => {
    const { mistakes } = parseAlerts([{ webhook, secret: 'also T0K3N' }]);
    expect(mistakes).toEqual([expect.stringContaining('webhook of alerts[0] must be a URL that begins with https://')]);
    expect(mistakes.join()).not.toContain('T0K3N');
  },
);
