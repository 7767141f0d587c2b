import { formatReadable, toneOf } from './cell.ts';
import type { Field } from './presentation.ts';
import type { TableLook } from './table.ts';

/** Fields one below the other: `title  value`. Several lines of text follow their title, indented. */
export function formatSheet(fields: readonly Field[], { paint, now }: Omit<TableLook, 'width'>): string {
  const shown = fields.filter(({ value }) => value !== null && value !== undefined);
  const width = Math.max(0, ...shown.map(({ title }) => title.length));
  return shown
    .map(({ title, value, as }) => {
      const text = formatReadable(value, as, now);
      if (as === 'lines') return `${paint('title', title)}\n${indent(text)}\n`;
      const date = as === 'instant' ? paint('faint', `  ${new Date(value as number).toISOString()}`) : '';
      return `${paint('title', title.padEnd(width))}  ${paint(toneOf(value, as, false), text)}${date}\n`;
    })
    .join('');
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((row) => `  ${row}`)
    .join('\n');
}
