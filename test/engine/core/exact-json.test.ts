import { expect, test } from 'vitest';
import { isExactNumber, readExactJson, writeExactJson } from '../../../src/engine/core/exact-json.ts';

test('numbers that JavaScript would change stay as they were written', () => {
  const text = '{"id":12345678901234567890,"price":1.0,"list":[1e400,-0,0.1,7],"text":"1.0"}';
  expect(writeExactJson(readExactJson(text))).toBe(text);
});

test('other numbers are numbers', () => {
  const read = readExactJson('{"a":7,"b":9007199254740993}') as { a: unknown; b: unknown };
  expect(read.a).toBe(7);
  expect(isExactNumber(read.a)).toBe(false);
  expect(isExactNumber(read.b)).toBe(true);
});
