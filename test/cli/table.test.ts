import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { plainPaint } from '../../src/cli/paint.ts';
import type { Column } from '../../src/cli/presentation.ts';
import { formatTable } from '../../src/cli/table.ts';

const columns: readonly Column[] = [
  { key: 'name', title: 'NAME', as: 'text', shrinks: true },
  { key: 'count', title: 'COUNT', as: 'number' },
  { key: 'note', title: 'NOTE', as: 'text', shrinks: true },
];
const format = (rows: object[], width?: number) =>
  formatTable(columns, rows as Record<string, unknown>[], { paint: plainPaint, now: 0, width });

test('wide characters and combining marks keep the columns in line', () => {
  const text = format([
    { name: '日本', count: 1, note: 'x' },
    { name: 'e\u0301te\u0301', count: 22, note: 'x' },
    { name: '🚀', count: 333, note: 'x' },
  ]);
  const ends = text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => stringWidth(line));
  expect(new Set(ends).size).toBe(1);
});

test('the widest columns shrink first, to about the same width', () => {
  const lines = format([{ name: 'n'.repeat(60), count: 1, note: 'm'.repeat(30) }], 40)
    .trimEnd()
    .split('\n');
  for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(40);
  expect(lines[1]).toMatch(/^n+… +1 {2}m+…$/);
});

test('columns that may leave do so when the terminal is too narrow for all, the last first', () => {
  const leaving = columns.map((column) => ({ ...column, shrinks: false, leaves: column.key !== 'count' }));
  const titles = (width: number) =>
    formatTable(leaving, [{ name: 'name', count: 1, note: 'note' }], { paint: plainPaint, now: 0, width }).split(
      '\n',
    )[0];
  expect([17, 16, 11, 10].map(titles)).toEqual(['NAME  COUNT  NOTE', 'NAME  COUNT', 'NAME  COUNT', 'COUNT']);
});

test('a table longer than the library takes at once keeps its columns in line', () => {
  const rows = Array.from({ length: 2500 }, (_, count) => ({ name: 'n', count, note: null }));
  const lines = format(rows).trimEnd().split('\n');
  expect(lines).toHaveLength(2501);
  expect(new Set(lines.map((line) => line.indexOf('-'))).size).toBe(2);
});
