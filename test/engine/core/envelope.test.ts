import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../../src/engine/core/envelope.ts';

describe('decodeEnvelope', () => {
  test('reads the arguments and everything that a call carries', () => {
    const meta = {
      requestId: 'r-1',
      rootId: 'root',
      parentId: 'parent',
      expiresAt: 5,
      softTimeLimitMs: 1,
      timeLimitMs: 2,
      retry: { max: 3, delay: 100 },
      headers: { tenant: 'a' },
      uniqueUntil: 'started',
    };
    expect(decodeEnvelope({ args: [1, 'two'], meta })).toEqual({ args: [1, 'two'], meta });
    expect(decodeEnvelope({ args: [], meta: { retry: false } })).toEqual({ args: [], meta: { retry: false } });
  });

  test.each<[string, unknown]>([
    ['a text', 'hello'],
    ['null', null],
    ['a list', [1, 2]],
    ['an object of another producer', { to: 'a@b.c' }],
    ['an object with args alone', { args: [1] }],
    ['an object with args and meta of the wrong kinds', { args: 'a', meta: {} }],
    ['an object with meta that is a list', { args: [], meta: [] }],
    ['an object with a third property', { args: [], meta: {}, more: 1 }],
  ])('takes %s for the single argument', (_, data) => {
    expect(decodeEnvelope(data)).toEqual({ args: [data], meta: {} });
  });

  test.each<[string, unknown]>([
    ['requestId', 7],
    ['rootId', null],
    ['parentId', {}],
    ['expiresAt', 'tomorrow'],
    ['expiresAt', Number.NaN],
    ['softTimeLimitMs', '5s'],
    ['timeLimitMs', [5]],
    ['retry', true],
    ['retry', [3]],
    ['uniqueUntil', 'ended'],
    ['headers', 'a=b'],
    ['headers', ['a']],
    ['somethingElse', 1],
  ])('leaves out %s when a foreign producer wrote %j there', (key, value) => {
    expect(decodeEnvelope({ args: [1], meta: { [key]: value } })).toEqual({ args: [1], meta: {} });
  });

  test('keeps the headers that are texts, also one called __proto__', () => {
    const data = JSON.parse('{"args":[],"meta":{"headers":{"__proto__":"x","a":"1","n":5,"o":{"p":1}}}}') as unknown;
    const { headers } = decodeEnvelope(data).meta;
    expect(Object.entries(headers ?? {})).toEqual([
      ['__proto__', 'x'],
      ['a', '1'],
    ]);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  test('never throws, whatever JSON it is given, and loses no argument', () => {
    const keys = ['requestId', 'rootId', 'parentId', 'expiresAt', 'softTimeLimitMs', 'timeLimitMs', 'retry', 'headers'];
    const meta = fc.dictionary(fc.constantFrom(...keys, '__proto__', 'other'), fc.jsonValue());
    const envelope = fc.record({ args: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()), meta });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), envelope), (value) => {
        const data = JSON.parse(JSON.stringify(value)) as unknown;
        const decoded = decodeEnvelope(data);
        expect(decoded.args === (data as { args?: unknown } | null)?.args || decoded.args[0] === data).toBe(true);
        expect(JSON.stringify(decoded.meta)).toBeTypeOf('string');
      }),
    );
  });
});
