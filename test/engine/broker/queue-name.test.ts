import { describe, expect, test } from 'vitest';
import { assertQueueName } from '../../../src/engine/broker/queue-name.ts';

describe('the name of a queue', () => {
  test.each(['default', 'a', 'e-mail.high_1', 'ünïcode', '{tag}', 'x'.repeat(200)])('%s is taken', (name) => {
    expect(() => assertQueueName(name)).not.toThrow();
  });

  test.each([
    ['', '""'],
    ['a b', '"a b"'],
    ['a:b', '"a:b"'],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\\nb"'],
    ['\u001b[31m', '"\\u001b[31m"'],
    ['x'.repeat(201), 'xxx'],
    [7, '7'],
    [undefined, 'undefined'],
  ])('%j is refused, and shown without being obeyed', (name, shown) => {
    expect(() => assertQueueName(name)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(shown) }),
    );
  });
});
