import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TqError } from '../../../src/engine/core/errors.ts';
import { assertJson, encodeJson } from '../../../src/engine/core/json.ts';

class Point {
  x = 1;
}

const cycle: Record<string, unknown> = { name: 'a' };
cycle['self'] = { again: cycle };

describe('encodeJson refuses what JSON would change, and names the path', () => {
  test.each<[string, unknown, string]>([
    ['a BigInt', [{ amount: 5n }], 'args[0].amount is a bigint'],
    ['NaN', [[1, Number.NaN]], 'args[0][1] is NaN, which JSON has no number for'],
    ['Infinity', { a: Number.POSITIVE_INFINITY }, 'args.a is Infinity, which JSON has no number for'],
    ['-Infinity', [Number.NEGATIVE_INFINITY], 'args[0] is -Infinity, which JSON has no number for'],
    ['a Date', [{ at: new Date(0) }], 'args[0].at is an instance of Date'],
    ['a Map', [new Map()], 'args[0] is an instance of Map'],
    ['a Set', [new Set()], 'args[0] is an instance of Set'],
    ['a Buffer', [Buffer.from('a')], 'args[0] is an instance of Buffer'],
    ['a class instance', [new Point()], 'args[0] is an instance of Point'],
    ['an error', [new TypeError('no')], 'args[0] is an instance of TypeError'],
    ['a boxed text', [Object('text')], 'args[0] is an instance of String'],
    ['a function', [{ done: () => 1 }], 'args[0].done is a function'],
    ['a toJSON method', [{ toJSON: () => 1 }], 'args[0].toJSON is a function'],
    ['a symbol', [Symbol('s')], 'args[0] is a symbol'],
    ['undefined in an array', [1, undefined], 'args[1] is undefined'],
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is refused
    ['a hole in an array', [1, , 2], 'args[1] is undefined'],
    ['nothing', undefined, 'args is undefined'],
    ['a cycle', [cycle], 'args[0].self.again is a reference to a value that contains it (a cycle)'],
    [
      'U+0000 in a text',
      [{ note: 'a\0b' }],
      'args[0].note is a text with the character U+0000, which not every broker can store',
    ],
    [
      'U+0000 in a name',
      [{ 'a\0': 1 }],
      'args[0]["a\\u0000"] is a text with the character U+0000, which not every broker can store',
    ],
    ['half a surrogate pair', ['\ud800'], 'args[0] is a text with half of a surrogate pair, which is no character'],
    ['a name that is no word', [{ 'a b': { 'x-y': 1n } }], 'args[0]["a b"]["x-y"] is a bigint'],
  ])('%s', (_, value, problem) => {
    expect(() => encodeJson(value, 'the arguments of task "a"', 'args')).toThrow(
      expect.objectContaining({
        code: 'NOT_JSON',
        message: `the arguments of task "a" cannot be written as JSON: ${problem}`,
      }),
    );
  });

  test('nesting that would overflow the stack of a reader', () => {
    const nest = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], 1);
    expect(encodeJson(nest(500), 'the value', 'value')).toHaveLength(1001);
    expect(() => encodeJson(nest(100_000), 'the value', 'value')).toThrow('nested deeper than 500 levels');
  });
});

describe('encodeJson accepts', () => {
  test('objects without a prototype and of another realm', () => {
    const foreign = runInNewContext('({ list: [1, { deep: null }], text: "a" })') as unknown;
    expect(encodeJson(foreign, 'the value', 'value')).toBe('{"list":[1,{"deep":null}],"text":"a"}');
    expect(encodeJson(Object.assign(Object.create(null), { a: 1 }), 'the value', 'value')).toBe('{"a":1}');
  });

  test('but refuses a class instance of another realm', () => {
    const foreign = runInNewContext('({ at: new Date(0) })') as unknown;
    expect(() => assertJson(foreign, 'the value', 'value')).toThrow('value.at is an instance of Date');
  });

  test('an own property called __proto__, and keeps it one', () => {
    const value = JSON.parse('{"__proto__":{"admin":true},"a":1}') as unknown;
    const text = encodeJson(value, 'the value', 'value');
    expect(text).toBe('{"__proto__":{"admin":true},"a":1}');
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  test('a value that stands in two places without containing itself', () => {
    const shared = { a: 1 };
    expect(encodeJson([shared, { again: shared }], 'the value', 'value')).toBe('[{"a":1},{"again":{"a":1}}]');
  });

  test('undefined properties, which it leaves out', () => {
    expect(encodeJson({ a: undefined, b: 1 }, 'the value', 'value')).toBe('{"b":1}');
  });

  test('every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(encodeJson(value, 'the value', 'value'))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

test('what is accepted survives being written and read', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withBoxedValues: true,
    withNullPrototype: true,
    withTypedArray: true,
  });
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(anything, fc.jsonValue()), (value) => {
      const text = encodeOrRefuse(value);
      if (text === undefined) return;
      accepted += 1;
      expect(isDeepStrictEqual(JSON.parse(text), plain(value))).toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(200);
});

function encodeOrRefuse(value: unknown): string | undefined {
  try {
    return encodeJson(value, 'the value', 'value');
  } catch (error) {
    expect(error).toBeInstanceOf(TqError);
    return undefined;
  }
}

/** The value without what JSON.stringify leaves out by its rules: undefined properties, the sign of zero, prototypes. */
function plain(value: unknown): unknown {
  if (Object.is(value, -0)) return 0;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, plain(item)]),
  );
}
