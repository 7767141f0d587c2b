import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeControl } from '../../../src/engine/core/escape.ts';

test.each([
  ['a terminal sequence', '\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['a C1 sequence', '\u009b2J', '\\x9b2J'],
  ['line ends and tabs', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
  ['NUL, bell and DEL', '\u0000\u0007\u007f', '\\x00\\x07\\x7f'],
  ['a bidirectional override', 'invoice\u202etxt.exe', 'invoice\\u202etxt.exe'],
  ['a line separator', 'a\u2028b', 'a\\u2028b'],
])('shows %s in place of obeying it', (_, text, shown) => {
  expect(escapeControl(text)).toBe(shown);
});

test('leaves letters of any script, accents and pictures alone', () => {
  expect(escapeControl('Zoë 東京 🙂 é')).toBe('Zoë 東京 🙂 é');
});

test('keeps line ends and tabs of a stack, and nothing else', () => {
  expect(escapeControl('Error\n\tat a\r\u001b', true)).toBe('Error\n\tat a\\r\\x1b');
});

test('leaves no control character, whatever the text', () => {
  const controls = fc.string({ unit: fc.integer({ min: 0, max: 0x2100 }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), controls), (text) => {
      expect(escapeControl(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(escapeControl(text, true)).not.toMatch(/(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});
