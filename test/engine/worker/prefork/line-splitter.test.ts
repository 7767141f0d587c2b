import { expect, test } from 'vitest';
import { LineSplitter } from '../../../../src/engine/worker/prefork/line-splitter.ts';

function split(pieces: readonly string[], maxLength = 100): { lines: string[]; rest: string; splitter: LineSplitter } {
  const splitter = new LineSplitter(maxLength);
  const lines: string[] = [];
  for (const piece of pieces) splitter.push(piece, (line) => lines.push(line));
  return { lines, splitter, rest: splitter.isTooLong ? '' : splitter.take() };
}

test.each<[string, readonly string[], readonly string[], string]>([
  ['one line', ['a\n'], ['a'], ''],
  ['several in one piece', ['a\nb\n\nc\n'], ['a', 'b', '', 'c'], ''],
  ['one in several pieces', ['a', 'b', 'c\n'], ['abc'], ''],
  ['the end of one and the start of another', ['a', 'b\nc', 'd\ne'], ['ab', 'cd'], 'e'],
  ['a line feed alone', ['a', '\n', 'b'], ['a'], 'b'],
  ['nothing', ['', ''], [], ''],
])('%s', (_, pieces, lines, rest) => {
  expect(split(pieces)).toMatchObject({ lines, rest });
});

test('says when what waits for its end is too long, and forgets what was taken', () => {
  const { splitter, lines } = split(['x'.repeat(60), 'x'.repeat(60)]);
  expect(splitter.isTooLong).toBe(true);
  expect(splitter.take()).toHaveLength(120);
  expect(splitter.isTooLong).toBe(false);
  splitter.push('y\n', (line) => lines.push(line));
  expect(lines).toEqual(['y']);
});
