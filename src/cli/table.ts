import Table from 'cli-table3';
import stringWidth from 'string-width';
import { formatReadable, toneOf } from './cell.ts';
import type { Paint } from './paint.ts';
import type { Column, Row } from './presentation.ts';

export interface TableLook {
  readonly paint: Paint;
  /** Epoch milliseconds that relative times count from. */
  readonly now: number;
  /** Width of the terminal; undefined cuts nothing. */
  readonly width: number | undefined;
}

const GAP = 2;
/** A column is not cut below this: less of a name helps nobody. */
const MIN_WIDTH = 12;

/** An aligned table with a header, numbers to the right, one line a row, no line longer than the terminal is wide. */
export function formatTable(all: readonly Column[], rows: readonly Row[], look: TableLook): string {
  const columns = pickColumns(all, rows, look);
  const cells = rows.map((row) => columns.map(({ key, as }) => formatReadable(row[key], as, look.now)));
  const widths = fitWidths(columns, cells, look.width);
  const painted = rows.map((row, index) =>
    columns.map(({ key, as, alarms }, column) =>
      look.paint(toneOf(row[key], as, alarms === true), cells[index]?.[column] ?? ''),
    ),
  );
  const head = columns.map(({ title }) => look.paint('title', title));
  let text = layOut([head], columns, widths);
  for (let from = 0; from < painted.length; from += PAGE) {
    text += layOut(painted.slice(from, from + PAGE), columns, widths);
  }
  return text;
}

/** Those that fit in when what may shrink has shrunk. */
function pickColumns(all: readonly Column[], rows: readonly Row[], { width, now }: TableLook): readonly Column[] {
  if (width === undefined || !all.some(({ leaves }) => leaves)) return all;
  const leastOf = ({ key, title, as, shrinks }: Column): number => {
    const widest = rows.reduce((most, row) => Math.max(most, stringWidth(formatReadable(row[key], as, now))), 0);
    const needed = Math.max(widest, stringWidth(title));
    return shrinks === true ? Math.min(needed, MIN_WIDTH) : needed;
  };
  const least = new Map(all.map((column) => [column, leastOf(column)]));
  let picked = all;
  while (picked.reduce((sum, column) => sum + (least.get(column) ?? 0) + GAP, -GAP) > width) {
    const leaving = picked.findLast(({ leaves }) => leaves);
    if (leaving === undefined) break;
    picked = picked.filter((column) => column !== leaving);
  }
  return picked;
}

/** cli-table3 lays out a table by passing all its cells as arguments, which a long one overflows. */
const PAGE = 1000;

function layOut(rows: string[][], columns: readonly Column[], widths: readonly number[]): string {
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: [...widths],
    colAligns: columns.map(({ as }) => (as === 'number' ? 'right' : 'left')),
  });
  table.push(...rows);
  const lines = table.toString().split('\n');
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Columns stand apart by their gap alone. */
const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
};

function fitWidths(columns: readonly Column[], cells: readonly string[][], width: number | undefined): number[] {
  const widths = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, stringWidth(row[index] ?? '')), stringWidth(title)),
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
