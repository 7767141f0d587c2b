import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findJsonFault } from '../../src/cli/json-fault.ts';

describe('the place of a fault', () => {
  test.each([
    ['', 0, 'a value'],
    ['[1,2', 4, '"," or "]"'],
    ['[1,]', 3, 'a value'],
    ['{a:1}', 1, 'a name in double quotes or "}"'],
    ["['a']", 1, 'a value or "]"'],
    ['{"a" 1}', 5, '":" after the name'],
    ['{"a":1,}', 7, 'a name in double quotes'],
    ['{"a":1 "b":2}', 7, '"," or "}"'],
    ['["a\nb"]', 3, 'the rest of a text, up to its closing "'],
    ['["\\x"]', 2, 'the rest of a text, up to its closing "'],
    ['[1,2]]', 5, 'nothing more'],
    ['[NaN]', 1, 'a value or "]"'],
    ['[}', 1, 'a value or "]"'],
  ])('%j', (text, position, expected) => {
    expect(findJsonFault(text)).toEqual({ position, expected });
  });
});

test('agrees with JSON.parse on what is JSON, for any text made of its parts', () => {
  const part = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-',
    '.5',
    'e3',
    'true',
    'nul',
    ' ',
    '\\',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      expect(findJsonFault(text) === undefined).toBe(isJson(text));
    }),
    { numRuns: 3000 },
  );
});

test('agrees with JSON.parse on any JSON', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(findJsonFault(text)).toBeUndefined();
    }),
  );
});

test('a text of very many open brackets is no trouble', () => {
  expect(findJsonFault('['.repeat(200_000))).toEqual({ position: 200_000, expected: 'a value or "]"' });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
