import type { Clock } from '../engine/core/clock.ts';
import { escapeControl } from '../engine/core/escape.ts';
import type { Progress } from '../ops/operation.ts';
import { formatExact } from './cell.ts';
import { createPaint, type Paint, plainPaint } from './paint.ts';
import type { Block, Cell, Presentation } from './presentation.ts';
import { formatSheet } from './sheet.ts';
import type { Sink, Streams } from './streams.ts';
import type { formatTable as FormatTable } from './table.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Undefined leaves it to whether the stream is a terminal. */
  readonly color: boolean | undefined;
  readonly clock: Clock;
}

/**
 * The one output policy. Results go to stdout, everything else to stderr.
 *
 * - Terminal: aligned tables with a header, colours, relative times, cut to the width of the terminal.
 * - Pipe: a line a row, tab-separated, without a header, complete; ISO 8601 dates, milliseconds, null as nothing. A sheet is
 *   `title<TAB>value` lines.
 * - `--json`: one document, indented on a terminal, on one line in a pipe; times are epoch milliseconds; nothing is cut.
 *
 * `--quiet` leaves out notes and progress, but nothing that went wrong. Text from jobs never reaches the terminal with its control characters.
 */
export interface Output {
  print(presentation: Presentation): void;
  /** One event of a command that goes on: with `--json` one document a line, also on a terminal. */
  stream(event: Pick<Presentation, 'json' | 'blocks'>): void;
  /** A line on stderr that is not an error. */
  note(text: string): void;
  /** Blocks on stderr, as a terminal shows them: what is asked about, not what was asked for. */
  show(blocks: readonly Block[]): void;
  /** Replaces the line of progress on a terminal; nothing anywhere else. */
  progress(progress: Progress): void;
  /** Takes the line of progress away. */
  clearProgress(): void;
}

export async function createOutput(streams: Streams, options: OutputOptions): Promise<Output> {
  const { json, quiet, clock } = options;
  const { stdout, stderr } = streams;
  const [paintOut, paintErr, formatTable] = await Promise.all([
    choosePaint(stdout, options),
    choosePaint(stderr, options),
    loadTable(streams),
  ]);
  let progressShownAt: number | undefined;

  const note = (text: string): void => {
    if (!quiet) tell(text);
  };
  const tell = (text: string): void => {
    clearProgress();
    stderr.write(`${escapeControl(text, true)}\n`);
  };
  const clearProgress = (): void => {
    if (progressShownAt !== undefined) stderr.write(ERASE_LINE);
    progressShownAt = undefined;
  };
  const render = (blocks: readonly Block[], sink: Sink, paint: Paint): string =>
    blocks
      .map((block) =>
        sink.isTTY === true
          ? formatForTerminal(block, { paint, now: clock.now(), width: sink.columns }, formatTable)
          : formatForPipe(block, clock.now()),
      )
      .join('');

  return {
    print({ json: document, blocks, notes = [], problems = [] }) {
      clearProgress();
      stdout.write(json ? formatDocument(document, stdout.isTTY === true) : render(blocks, stdout, paintOut));
      if (!json) for (const block of blocks) if (block.kind === 'table' && block.rows.length === 0) note(block.empty);
      for (const text of problems) tell(text);
      for (const text of notes) note(text);
    },
    stream({ json: document, blocks }) {
      clearProgress();
      stdout.write(json ? formatDocument(document, false) : render(blocks, stdout, paintOut));
    },
    note,
    show(blocks) {
      clearProgress();
      stderr.write(render(blocks, stderr, paintErr));
    },
    progress({ done, total }) {
      if (quiet || stderr.isTTY !== true) return;
      const now = clock.monotonic();
      if (progressShownAt !== undefined && now - progressShownAt < PROGRESS_EVERY_MS) return;
      progressShownAt = now;
      stderr.write(`${ERASE_LINE}${total === null ? done : `${done} of ${total}`} jobs`);
    },
    clearProgress,
  };
}

const ERASE_LINE = '\r\u001b[K';
const PROGRESS_EVERY_MS = 100;

async function choosePaint({ isTTY }: Sink, { color }: OutputOptions): Promise<Paint> {
  return (color ?? isTTY === true) ? await createPaint() : plainPaint;
}

/** Only a terminal has tables. Their layout is loaded for one alone: it costs a command more than all its own code. */
async function loadTable({ stdout, stderr }: Streams): Promise<typeof FormatTable> {
  if (stdout.isTTY !== true && stderr.isTTY !== true) return () => '';
  return (await import('./table.ts')).formatTable;
}

function formatForTerminal(
  block: Block,
  look: { paint: Paint; now: number; width: number | undefined },
  formatTable: typeof FormatTable,
): string {
  switch (block.kind) {
    case 'line':
      return `${look.paint(block.tone ?? 'plain', escapeControl(block.text))}\n`;
    case 'row':
      return `${block.cells
        .map((cell) => formatCell(cell, look.paint))
        .join('  ')
        .trimEnd()}\n`;
    case 'verbatim':
      return block.text;
    case 'table':
      return block.rows.length === 0 ? '' : formatTable(block.columns, block.rows, look);
    case 'sheet':
      return formatSheet(block.fields, look);
    case 'drawn':
      return block.draw({ isTerminal: true, ...look });
  }
}

function formatCell({ text, tone, width = 0 }: Cell, paint: Paint): string {
  const shown = escapeControl(text);
  return paint(tone, width < 0 ? shown.padStart(-width) : shown.padEnd(width));
}

function formatForPipe(block: Block, now: number): string {
  switch (block.kind) {
    case 'line':
      return `${escapeControl(block.text)}\n`;
    case 'row':
      return `${block.cells.map(({ text, exact = text }) => escapeControl(exact)).join('\t')}\n`;
    case 'verbatim':
      return block.text;
    case 'table':
      return block.rows
        .map((row) => `${block.columns.map(({ key, as }) => formatExact(row[key], as)).join('\t')}\n`)
        .join('');
    case 'sheet':
      return block.fields.map(({ title, value, as }) => `${title}\t${formatExact(value, as)}\n`).join('');
    case 'drawn':
      return block.draw({ isTerminal: false, width: undefined, paint: plainPaint, now });
  }
}

/** JSON leaves C1 controls and bidirectional overrides as they are; a terminal would obey them. */
function formatDocument(document: unknown, indented: boolean): string {
  const text = JSON.stringify(document, null, indented ? 2 : 0);
  return `${text.replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
