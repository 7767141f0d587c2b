import { describe, expect, test } from 'vitest';
import { createLineFormat } from '../../../src/engine/runtime/log-line.ts';

const format = createLineFormat({ color: false });
// Local time is shown, so the instant is made of local parts.
const timestamp = new Date(2026, 0, 2, 12, 34, 56, 789).toISOString();
const show = (fields: Record<string, unknown>): string =>
  format(JSON.stringify({ level: 'INFO', timestamp, message: 'hello', ...fields }));

test('a line of a task has its time, level, message, task, id and fields in one order', () => {
  const line = show({
    worker: 'tq@host',
    size: 3,
    request_id: 'r1',
    duration_ms: 12,
    attempt: 1,
    queue: 'high',
    task_id: '0198',
    task_name: 'email.send',
  });
  expect(line).toBe('12:34:56.789 INFO  hello  email.send 0198  queue=high attempt=1 12ms request_id=r1 size=3\n');
});

test('the worker is shown where the line is of no task', () => {
  expect(show({ worker: 'tq@host' })).toBe('12:34:56.789 INFO  hello  worker=tq@host\n');
});

test('texts with spaces are quoted and objects are JSON', () => {
  expect(show({ a: 'b c', d: { e: [1] }, f: '', g: null })).toBe(
    '12:34:56.789 INFO  hello  a="b c" d={"e":[1]} f="" g=null\n',
  );
});

describe('an error', () => {
  test('has its stack indented below, with the code', () => {
    const err = { type: 'TypeError', message: 'boom', stack: 'TypeError: boom\n    at f (x.js:1:2)', code: 'E_X' };
    expect(show({ err })).toBe('12:34:56.789 INFO  hello\n    TypeError: boom (E_X)\n        at f (x.js:1:2)\n');
  });

  test('has its type and message when it has no stack', () => {
    expect(show({ err: { type: 'string', message: 'boom', stack: null, code: null } })).toContain(
      '\n    string: boom\n',
    );
  });
});

describe('text from a job', () => {
  test('cannot steer the terminal', () => {
    const evil = '\u001b[2J\u0007\u202e';
    const line = show({
      message: evil,
      task_name: evil,
      task_id: evil,
      queue: evil,
      [`key${evil}`]: evil,
      nested: { text: evil },
      level: evil,
      err: { type: evil, message: evil, stack: `Error: ${evil}`, code: evil },
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(line).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(line).toContain('\\x1b[2J\\x07\\u202e  \\x1b[2J');
  });

  test('cannot fake a line', () => {
    const fake = 'x\n12:34:56.789 INFO  all is well';
    const lines = show({ message: fake, task_name: fake, err: { stack: fake } }).split('\n');
    expect(lines.filter((line) => line.startsWith('12:34:56.789'))).toHaveLength(1);
  });
});

test('what is no JSON line is shown as it is, without its control characters', () => {
  expect(format('plain \u001b[31mtext\n')).toBe('plain \\x1b[31mtext\n');
  expect(format('5\n')).toBe('5\n');
});

test('a line without message and with a broken time is survived', () => {
  expect(format('{"level":"WARN","timestamp":"x","a":1}')).toBe('--:--:--.--- WARN  a=1\n');
});

test('colours are there when asked for, and only then', () => {
  const line = JSON.stringify({ level: 'ERROR', timestamp, message: 'm', err: { stack: 'Error: m' } });
  expect(createLineFormat({ color: true })(line)).toContain('\u001b[31mERROR\u001b[39m m');
  expect(createLineFormat({ color: false })(line)).not.toContain('\u001b');
});
