import stringWidth from 'string-width';
import { formatDuration } from '../../engine/core/duration.ts';
import { escapeControl } from '../../engine/core/escape.ts';
import { formatProgress } from '../../engine/core/progress.ts';
import type { WorkflowStep } from '../../engine/core/workflow/workflow-view.ts';
import { toneOf } from '../cell.ts';
import type { Tone } from '../paint.ts';
import type { Surface } from '../presentation.ts';
import { type Fold, formatFold, type TraceRow } from './trace-rows.ts';

interface Lines {
  readonly branch: string;
  readonly corner: string;
  readonly bar: string;
  readonly gap: string;
  readonly more: string;
}

const DRAWN: Lines = { branch: '├─ ', corner: '└─ ', bar: '│  ', gap: '   ', more: '…' };
const ASCII: Lines = { branch: '|- ', corner: '`- ', bar: '|  ', gap: '   ', more: '...' };

/** On a terminal columns, cut to its width, with errors and progress in lines of their own; in a pipe cells with tabs, complete. */
export function drawTree(rows: readonly TraceRow[], asked: string | null, surface: Surface): string {
  const lines = surface.isTerminal ? DRAWN : ASCII;
  const drawn = rows.map((row, index) => ({
    name: leadOf(row, lines) + nameOf(row.content, lines),
    below: leadBelow(row, rows[index + 1], lines),
    content: row.content,
  }));
  if (!surface.isTerminal) {
    return drawn.map(({ name, content }) => `${[name, ...cellsOf(content)].join('\t')}\n`).join('');
  }
  const steps = rows.flatMap(({ content }) => (content.kind === 'fold' ? [] : [content]));
  const widths = {
    name: Math.max(0, ...drawn.map(({ name }) => stringWidth(name))),
    attempt: Math.max(0, ...steps.map((step) => attemptOf(step).length)),
    worker: Math.max(0, ...steps.map(({ worker }) => escapeControl(worker ?? '').length)),
  };
  return drawn.map((row) => drawRow(row, { asked, surface, widths })).join('');
}

/** What stands before a line that belongs to the row above it. */
function leadBelow({ lasts }: TraceRow, next: TraceRow | undefined, { bar, gap }: Lines): string {
  const own = next !== undefined && next.lasts.length > lasts.length ? bar : gap;
  return lasts.map((isLast) => (isLast ? gap : bar)).join('') + own;
}

function leadOf({ lasts }: TraceRow, { branch, corner, bar, gap }: Lines): string {
  return lasts
    .map((isLast, level) => (level === lasts.length - 1 ? (isLast ? corner : branch) : isLast ? gap : bar))
    .join('');
}

/** What a reader calls a part: its task or its kind, and how it came there. */
export function nameOf(content: WorkflowStep | Fold, { more }: Pick<Lines, 'more'> = DRAWN): string {
  if (content.kind === 'fold') return `${more} ${formatFold(content)}`;
  const { kind, role, task, onError } = content;
  const name = task === null ? kind : escapeControl(task);
  const policy = onError === null || onError === 'fail' ? '' : ` (on error: ${onError})`;
  return `${role === 'step' ? '' : `${ROLES[role]}: `}${name}${policy}`;
}

const ROLES = {
  body: 'body',
  link: 'link',
  linkError: 'on error',
  added: 'added',
  replacement: 'replaced by',
} as const;

/** State, attempts, milliseconds, worker, id, what there is to say. */
function cellsOf(content: WorkflowStep | Fold): string[] {
  if (content.kind === 'fold') return [];
  const { state, attempts, worker, id, startedAt, finishedAt } = content;
  const ms = startedAt === null || finishedAt === null ? '' : String(finishedAt - startedAt);
  const tried = content.kind === 'task' ? String(attempts) : '';
  return [state, tried, ms, escapeControl(worker ?? ''), escapeControl(id ?? ''), escapeControl(remarkOf(content))];
}

interface Drawn {
  readonly name: string;
  readonly below: string;
  readonly content: WorkflowStep | Fold;
}

interface RowLook {
  readonly asked: string | null;
  readonly surface: Surface;
  /** Of the widest. */
  readonly widths: { readonly name: number; readonly attempt: number; readonly worker: number };
}

const STATE_WIDTH = 'SCHEDULED'.length;
const TIME_WIDTH = 7;

function drawRow({ name, below, content }: Drawn, { asked, surface, widths }: RowLook): string {
  const { paint, now, width = Number.POSITIVE_INFINITY } = surface;
  if (content.kind === 'fold') return `${paint('faint', cut(name, width))}\n`;
  const { state, worker, id, kind } = content;
  // A tree that is deep, or has long names, leaves at least a third of the line to the rest.
  const nameWidth = Math.min(widths.name, Math.max(20, Math.floor((width * 2) / 3)));
  const cells: [string, Tone][] = [
    [fill(cut(name, nameWidth), nameWidth), id !== null && id === asked ? 'title' : 'plain'],
    [fill(state, STATE_WIDTH), toneOf(state, 'state', false)],
    [formatSpan(content, now).padStart(TIME_WIDTH), 'faint'],
  ];
  if (widths.attempt > 0) cells.push([fill(attemptOf(content), widths.attempt), 'waiting']);
  if (widths.worker > 0) cells.push([fill(escapeControl(worker ?? ''), widths.worker), 'faint']);
  const { row, isIdLeftOut } = joinCells(cells, kind === 'task' ? id : null, surface);
  const remark = escapeControl(shortRemarkOf(content));
  const isBad = state === 'FAILURE';
  const notes = [
    ...(remark === '' ? [] : [paint(isBad ? 'bad' : 'plain', cut(remark, Math.max(10, width - below.length)))]),
    // Of what failed by itself it is needed, to look at the job and to retry it.
    ...(isBad && remark !== '' && isIdLeftOut ? [paint('faint', `job ${escapeControl(id ?? '')}`)] : []),
  ];
  return [row, ...notes.map((note) => below + note)].map((text) => `${text}\n`).join('');
}

function attemptOf({ attempts }: WorkflowStep): string {
  return attempts > 1 ? `attempt ${attempts}` : '';
}

/** What a reader of the tree wants to know now: not how far a step was that is over, nor once more what failed below. */
function shortRemarkOf(step: WorkflowStep): string {
  if (step.error?.code === 'MEMBER_FAILED') return '';
  return step.state === 'SUCCESS' ? '' : remarkOf(step);
}

function joinCells(
  cells: readonly [string, Tone][],
  id: string | null,
  { paint, width = Number.POSITIVE_INFINITY }: Surface,
): { readonly row: string; readonly isIdLeftOut: boolean } {
  let left = width;
  const parts: string[] = [];
  for (const [text, tone] of cells) {
    const gap = parts.length === 0 ? '' : '  ';
    left -= gap.length;
    if (left <= 0) break;
    const shown = cut(text, left);
    left -= stringWidth(shown);
    parts.push(gap + paint(tone, shown));
  }
  const shownId = escapeControl(id ?? '');
  const fits = left >= shownId.length + 2;
  if (shownId !== '' && fits) parts.push(`  ${paint('faint', shownId)}`);
  return { row: parts.join('').trimEnd(), isIdLeftOut: shownId !== '' && !fits };
}

/** How long the last attempt took, or goes on. */
function formatSpan({ startedAt, finishedAt, state }: WorkflowStep, now: number): string {
  if (startedAt === null) return '';
  if (finishedAt !== null) return formatDuration(Math.max(0, finishedAt - startedAt));
  return state === 'STARTED' ? formatDuration(Math.max(0, now - startedAt)) : '';
}

function remarkOf({ error, reason, progress, state }: WorkflowStep): string {
  if (error !== null && state !== 'SUCCESS') return `${error.name}: ${error.message.split('\n', 1)[0]}`;
  if (reason !== null) return reason;
  return progress === null ? '' : (formatProgress(progress) ?? JSON.stringify(progress));
}

export function fill(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** Cuts to a number of columns; what was cut ends with an ellipsis. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = '';
  let used = 0;
  for (const char of text) {
    used += stringWidth(char);
    if (used > width - 1) break;
    shown += char;
  }
  return `${shown}…`;
}
