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

/** On a terminal columns, cut to its width; in a pipe cells with tabs between them, complete. */
export function drawTree(rows: readonly TraceRow[], asked: string | null, surface: Surface): string {
  const lines = surface.isTerminal ? DRAWN : ASCII;
  const drawn = rows.map((row) => ({ name: leadOf(row, lines) + nameOf(row.content, lines), row }));
  if (!surface.isTerminal)
    return drawn.map(({ name, row }) => `${[name, ...cellsOf(row.content)].join('\t')}\n`).join('');
  const widest = Math.max(0, ...drawn.map(({ name }) => stringWidth(name)));
  return drawn.map(({ name, row }) => drawRow(name, row.content, { asked, surface, widest })).join('');
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

interface RowLook {
  readonly asked: string | null;
  readonly surface: Surface;
  /** Of all names. */
  readonly widest: number;
}

const STATE_WIDTH = 'SCHEDULED'.length;
const TIME_WIDTH = 7;
const MAX_REMARK = 60;

function drawRow(name: string, content: WorkflowStep | Fold, { asked, surface, widest }: RowLook): string {
  const { paint, now, width = Number.POSITIVE_INFINITY } = surface;
  if (content.kind === 'fold') return `${paint('faint', cut(name, width))}\n`;
  const { state, attempts, worker, id, kind } = content;
  // A tree that is deep, or has long names, leaves at least a third of the line to the rest.
  const nameWidth = Math.min(widest, Math.max(20, Math.floor((width * 2) / 3)));
  const cells: [string, Tone][] = [
    [fill(cut(name, nameWidth), nameWidth), id !== null && id === asked ? 'title' : 'plain'],
    [fill(state, STATE_WIDTH), toneOf(state, 'state', false)],
    [formatSpan(content, now).padStart(TIME_WIDTH), 'faint'],
  ];
  if (attempts > 1) cells.push([`attempt ${attempts}`, 'waiting']);
  if (worker !== null) cells.push([escapeControl(worker), 'faint']);
  const remark = escapeControl(remarkOf(content));
  if (remark !== '') cells.push([cut(remark, MAX_REMARK), state === 'FAILURE' ? 'bad' : 'plain']);
  return `${joinCells(cells, kind === 'task' ? id : null, surface)}\n`;
}

/** @param id is left out where it does not fit: a part of one helps nobody */
function joinCells(
  cells: readonly [string, Tone][],
  id: string | null,
  { paint, width = Number.POSITIVE_INFINITY }: Surface,
): string {
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
  if (shownId !== '' && left >= shownId.length + 2) parts.push(`  ${paint('faint', shownId)}`);
  return parts.join('').trimEnd();
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
