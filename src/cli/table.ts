import { formatReadable, toneOf } from './cell.ts';
import type { Paint } from './paint.ts';
import type { Column, Row } from './presentation.ts';
import { textWidth, truncateText } from './text-width.ts';

export interface TableLook {
  readonly paint: Paint;
  /** Epoch milliseconds that relative times count from. */
  readonly now: number;
  /** Width of the terminal; undefined cuts nothing. */
  readonly width: number | undefined;
}

const GAP = 2;
/** A column is not cut below this: less of a name helps nobody. */
const MIN_WIDTH = 8;

/** An aligned table with a header, numbers to the right, one line a row, no line longer than the terminal is wide. */
export function formatTable(columns: readonly Column[], rows: readonly Row[], look: TableLook): string {
  const cells = rows.map((row) => columns.map(({ key, as }) => formatReadable(row[key], as, look.now)));
  const widths = fitWidths(columns, cells, look.width);
  const header = columns.map(({ title, as }, index) =>
    look.paint('title', pad(title, widths[index] ?? 0, as === 'number')),
  );
  const lines = rows.map((row, rowIndex) =>
    columns.map(({ key, as, alarms }, index) => {
      const text = pad(cells[rowIndex]?.[index] ?? '', widths[index] ?? 0, as === 'number');
      return look.paint(toneOf(row[key], as, alarms === true), text);
    }),
  );
  return [header, ...lines].map((parts) => `${parts.join(' '.repeat(GAP)).trimEnd()}\n`).join('');
}

function fitWidths(columns: readonly Column[], cells: readonly string[][], width: number | undefined): number[] {
  const widths = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? '')), textWidth(title)),
  );
  let excess = width === undefined ? 0 : widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  // The widest column that may shrink gives first, a column at a time, so that all end about equally wide.
  while (excess > 0) {
    const widest = widestShrinking(columns, widths);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

function widestShrinking(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let found: number | undefined;
  for (const [index, { shrinks }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (shrinks === true && width > MIN_WIDTH && (found === undefined || width > (widths[found] ?? 0))) found = index;
  }
  return found;
}

function pad(text: string, width: number, toTheRight: boolean): string {
  const shown = truncateText(text, width);
  const space = ' '.repeat(Math.max(0, width - textWidth(shown)));
  return toTheRight ? space + shown : shown + space;
}
