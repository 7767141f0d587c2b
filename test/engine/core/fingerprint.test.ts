import { describe, expect, test } from 'vitest';
import { describeKind, fingerprintOf } from '../../../src/engine/core/fingerprint.ts';
import type { StoredError } from '../../../src/engine/core/job.ts';

function error(message: string, given: Partial<StoredError> = {}): StoredError {
  return { name: 'Error', message, code: null, stack: null, ...given };
}

function stackOf(...frames: string[]): string {
  return ['Error: no', ...frames.map((frame) => `    at ${frame}`)].join('\n');
}

const SEND = 'sendMail (file:///srv/app/src/mail.ts:12:5)';

describe('one fingerprint for', () => {
  test.each<[string, string, string]>([
    ['numbers', 'took 12 of 40', 'took 7 of 1,024.5'],
    ['durations', 'timeout of 900ms exceeded', 'timeout of 1.5 s exceeded'],
    ['signs', 'balance is -3', 'balance is 12'],
    ['uuids', 'no user 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', 'no user 123e4567-e89b-12d3-a456-426614174000'],
    ['hexadecimal ids', 'no order 5f3a9c', 'no order 00beef12aa'],
    ['hexadecimal numbers', 'bad pointer 0x1f', 'bad pointer 0xDEADBEEF'],
    ['ids of letters and digits', 'No such customer: cus_Nffrj3Vw', 'No such customer: cus_9aXk2bQQe'],
    ['e-mail addresses', 'cannot reach ann@example.com', 'cannot reach bob.b+x@mail.example.org'],
    ['names of workers', 'the worker tq@host-1 is gone', 'the worker tq@db7.internal is gone'],
    ['values in double quotes', 'column "price" is null', 'column "name of the \\" thing" is null'],
    ['values in single quotes', "reading 'id' can't work", "reading 'name' can't work"],
    ['values in backquotes', 'no `x` here', 'no `a long thing` here'],
    ['paths', "ENOENT: no such file, open '/tmp/a.txt'", "ENOENT: no such file, open '/var/b/c.json'"],
    ['paths without quotes', 'cannot open /tmp/a-1.txt now', 'cannot open /home/ann/b.json:3:1 now'],
    ['relative paths', 'cannot open data/a.csv', 'cannot open ./other/dir/b.csv'],
    ['paths of Windows', 'cannot open C:\\temp\\a.txt', 'cannot open D:\\b\\c.txt:10'],
    ['URLs', 'GET https://a.example/x?y=1 failed', 'GET http://10.0.0.1:80/ failed'],
    ['addresses of machines', 'connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED ::1:5432'],
    ['instants', 'expired at 2026-11-21T20:06:41.123Z', 'expired at 2025-01-02 03:04:05+01:00'],
    ['lists of numbers', 'ids 1, 2, 3 are gone', 'ids 9 are gone'],
    ['white space', 'a\n  b', 'a b '],
    ['values so long that the text is cut', `bad value "${'x'.repeat(5000)}"`, `bad value "${'y z '.repeat(400)}"`],
    ['texts that differ far behind', `${'far '.repeat(100)}one`, `${'far '.repeat(100)}two`],
  ])('%s', (_, one, other) => {
    expect(fingerprintOf(error(one))).toBe(fingerprintOf(error(other)));
  });

  test.each<[string, string, string]>([
    ['lines of code', stackOf(SEND), stackOf('sendMail (file:///srv/app/src/mail.ts:99:1)')],
    ['machines', stackOf(SEND), stackOf('sendMail (/home/ann/projects/app/dist/mail.js:12:5)')],
    ['paths of Windows', stackOf(SEND), stackOf('sendMail (C:\\app (new)\\mail.ts:12:5)')],
    ['builds', stackOf('f (/app/chunk-AB12CD34.js:1:2)'), stackOf('f (/app/chunk-ZZ99YY88.js:7:8)')],
    ['reloads', stackOf('f (file:///app/a.ts:1:2)'), stackOf('f (file:///app/a.ts?update=17:3:4)')],
    ['what awaits', stackOf(SEND), stackOf(`async ${SEND}`)],
    ['frames of packages', stackOf(SEND), stackOf('query (/app/node_modules/pg/client.js:1:2)', SEND)],
    [
      'frames of Node',
      stackOf(SEND),
      stackOf('node:internal/fs:1:2', 'new Promise (<anonymous>)', SEND, 'g (/b.ts:1:2)'),
    ],
    ['callers', stackOf(SEND, 'a (/x.ts:1:2)'), stackOf(SEND, 'b (/y.ts:1:2)')],
    [
      'attempts',
      `${stackOf(SEND)}\n    at tq attempt 1 (x/y.ts:1:2)`,
      `${stackOf(SEND)}\n    at tq attempt 2 (a/b.ts:1:1)`,
    ],
    ['attempts without frames', 'Error: no', 'Error: no\n    at tq attempt 1 (x/y.ts:1:2)'],
    ['long messages in the stack', stackOf(SEND), `Error: ${'long '.repeat(5000)}\n    at ${SEND}`],
  ])('%s of a stack', (_, one, other) => {
    expect(fingerprintOf(error('no', { stack: one }))).toBe(fingerprintOf(error('no', { stack: other })));
  });
});

describe('another fingerprint for', () => {
  const base = error('no such user', { stack: stackOf(SEND) });

  test.each<[string, StoredError]>([
    ['another class', { ...base, name: 'TypeError' }],
    ['another code', { ...base, code: 'E_OTHER' }],
    ['another message', { ...base, message: 'no such order' }],
    ['another function', { ...base, stack: stackOf('sendAll (file:///srv/app/src/mail.ts:12:5)') }],
    ['another file', { ...base, stack: stackOf('sendMail (file:///srv/app/src/letter.ts:12:5)') }],
    ['no stack', { ...base, stack: null }],
  ])('%s', (_, other) => {
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(base));
  });

  test('apostrophes quote nothing', () => {
    expect(fingerprintOf(error("can't read the user's name"))).not.toBe(
      fingerprintOf(error("can't open the user's file")),
    );
  });
});

test('it is eight hex characters, whatever the error is', () => {
  const python =
    'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\n    raise ValueError(1)\nValueError: 1';
  const elixir =
    '** (RuntimeError) oops\n    (app 0.1.0) lib/app.ex:12: App.run/1\n    (elixir 1.17) lib/task.ex:101: x/2';
  for (const stack of [null, '', '\n', 'Error', '    at ', '\n    at ', python, elixir, '\u0000\ud800']) {
    for (const message of ['', '\ud83d', '"', "'", '[', 'x'.repeat(100_000), '"\\'.repeat(5000), '1:'.repeat(5000)]) {
      expect(fingerprintOf(error(message, { stack }))).toMatch(/^[\da-f]{8}$/);
    }
  }
  expect(fingerprintOf(error('no', { stack: python.replaceAll('3', '9') }))).toBe(
    fingerprintOf(error('no', { stack: python })),
  );
});

test('what the errors of a fingerprint have in common is said in words', () => {
  const timeout = error('request 17 to https://a.example/x took 30s for "ann"', { name: 'TimeoutError' });
  expect(describeKind(timeout)).toBe("TimeoutError: request # to <url> took # for '…'");
  expect(describeKind(error(''))).toBe('Error');
});
