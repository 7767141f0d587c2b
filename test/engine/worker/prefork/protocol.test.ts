import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../../src/engine/core/job.ts';
import {
  decodeFromChild,
  encodeLine,
  encodeMessage,
  type FromChild,
} from '../../../../src/engine/worker/prefork/protocol.ts';

const ERROR = { name: 'Error', message: 'no', code: null, stack: null };

const outcomes: readonly Outcome[] = [
  { kind: 'succeeded', result: { text: 'ü\n' } },
  { kind: 'ended', state: 'IGNORED', reason: 'not wanted' },
  { kind: 'retry', delayMs: 0, error: ERROR },
  { kind: 'dead', error: ERROR },
  { kind: 'postponed', delayMs: 5, note: 'put back' },
  { kind: 'released' },
];

const messages: readonly Exclude<FromChild, { kind: 'line' }>[] = [
  { kind: 'ready' },
  { kind: 'failed', failure: { code: 'APP_FAILED', message: 'no', next: 'try' } },
  ...outcomes.map((outcome) => ({ kind: 'ended' as const, run: 7, outcome })),
  { kind: 'ended', run: 1, outcome: { kind: 'released' }, memory: 5, unfit: 'a task has broken JSON' },
  { kind: 'ask', ask: 1, run: 2, question: { about: 'progress', value: null } },
  { kind: 'ask', ask: 1, run: 2, question: { about: 'rows' } },
  { kind: 'uncaught', error: ERROR },
];

test.each(messages.map((message) => [JSON.stringify(message), message] as const))(
  '%s arrives as it was sent',
  (_, message) => {
    const text = encodeMessage(message);
    expect(text.indexOf('\n')).toBe(text.length - 1);
    expect(decodeFromChild(text.slice(0, -1))).toEqual(message);
  },
);

test('a log line arrives unchanged', () => {
  const line = '{"level":"INFO","message":"a \\n b"}\n';
  expect(decodeFromChild(encodeLine(line).slice(0, -1))).toEqual({ kind: 'line', line });
});

describe('what no child writes is not read:', () => {
  test.each([
    'nonsense',
    '',
    '{',
    'null',
    '[]',
    '{}',
    '{"kind":"run"}',
    '{"kind":"failed"}',
    '{"kind":"ended","run":1}',
    '{"kind":"ended","run":"1","outcome":{"kind":"released"}}',
    '{"kind":"ended","run":1,"outcome":{"kind":"lost","delayMs":1}}',
    '{"kind":"ended","run":1,"outcome":{"kind":"retry","delayMs":"5","error":{"name":"a","message":"b"}}}',
    '{"kind":"ended","run":1,"outcome":{"kind":"retry","delayMs":-5,"error":{"name":"a","message":"b"}}}',
    '{"kind":"ended","run":1,"outcome":{"kind":"dead","error":null}}',
    '{"kind":"ended","run":1,"outcome":{"kind":"ended","state":"SUCCESS","reason":"x"}}',
    '{"kind":"ended","run":1,"outcome":{"kind":"released"},"memory":"5"}',
    '{"kind":"ask","ask":1,"run":1,"question":{"about":"secrets"}}',
    '{"kind":"uncaught","error":"x"}',
    'L',
    'Lnonsense',
    'L{"a":1',
    'L{"a":"\u001b[31m"}',
  ])('%s', (text) => {
    expect(decodeFromChild(text)).toBeUndefined();
  });
});
