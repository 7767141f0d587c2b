import type { ExitCode } from '../engine/core/error-catalogue.ts';
import type { Paint, Tone } from './paint.ts';

/**
 * What a command has to show, as data. How it looks on a terminal, in a pipe and as JSON is decided in output.ts, for all
 * commands alike.
 */
export interface Presentation {
  /** The one document of `--json`; absent values are null. */
  readonly json: unknown;
  /** The same for people, top to bottom. */
  readonly blocks: readonly Block[];
  /** Lines for stderr: what is not a result. */
  readonly notes?: readonly string[];
  /** What went wrong beside the result: lines on stderr, also under `--quiet`. */
  readonly problems?: readonly string[];
  readonly exitCode?: 0 | ExitCode;
}

export type Block =
  | { readonly kind: 'line'; readonly text: string; readonly tone?: Tone }
  /** One line of a stream: there is no table to align it by, so its cells bring their widths. */
  | { readonly kind: 'row'; readonly cells: readonly Cell[] }
  /** Text that stays as it is, a script for example. */
  | { readonly kind: 'verbatim'; readonly text: string }
  | {
      readonly kind: 'table';
      readonly columns: readonly Column[];
      readonly rows: readonly Row[];
      /** The note in place of a table without rows. */
      readonly empty: string;
    }
  | { readonly kind: 'sheet'; readonly fields: readonly Field[] }
  /** What no table can show; it escapes the text of jobs itself. */
  | { readonly kind: 'drawn'; readonly draw: (surface: Surface) => string };

/** What is drawn on. */
export interface Surface {
  /** In a pipe nothing but ASCII is drawn, beside the names of jobs. */
  readonly isTerminal: boolean;
  /** Columns; undefined cuts nothing. */
  readonly width: number | undefined;
  readonly paint: Paint;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Cell {
  readonly text: string;
  /** In a pipe, where that is another text: an exact time, nothing for a dash. */
  readonly exact?: string;
  readonly tone: Tone;
  /** Filled up to, on a terminal; from the left when negative. */
  readonly width?: number;
}

export type Row = Readonly<Record<string, unknown>>;

/** How a value is written; null is nothing in a pipe and a dash in a table. */
export type CellKind = 'text' | 'number' | 'flag' | 'state' | 'instant' | 'duration' | 'json' | 'progress' | 'lines';

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly as: CellKind;
  /** Is cut short first when the terminal is too narrow. */
  readonly shrinks?: boolean;
  /** Is left out when the terminal is too narrow for all columns, however short they are cut; the last of these first. */
  readonly leaves?: boolean;
  /** Is red when it is above 0 or true. */
  readonly alarms?: boolean;
}

/** One line of a sheet. On a terminal, a field that is null is left out. */
export interface Field {
  readonly title: string;
  readonly as: CellKind;
  readonly value: unknown;
}

export function line(text: string, tone: Tone = 'plain'): Block {
  return { kind: 'line', text, tone };
}

export function row(...cells: readonly Cell[]): Block {
  return { kind: 'row', cells };
}

export function table(columns: readonly Column[], rows: readonly object[], empty: string): Block {
  return { kind: 'table', columns, rows: rows as readonly Row[], empty };
}

export function sheet(fields: readonly Field[]): Block {
  return { kind: 'sheet', fields };
}
