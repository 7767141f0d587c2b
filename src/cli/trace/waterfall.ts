import { formatDuration } from '../../engine/core/duration.ts';
import { isFinished } from '../../engine/core/state.ts';
import type { WorkflowStep } from '../../engine/core/workflow/workflow-view.ts';
import { toneOf } from '../cell.ts';
import type { Surface } from '../presentation.ts';
import type { TraceRow } from './trace-rows.ts';
import { cut, fill, nameOf } from './trace-tree.ts';

const DRAWN = { waits: '░', runs: '█', axis: '─' };
const ASCII = { waits: '.', runs: '#', axis: '-' };
/** Of a surface that has no width. */
const WIDTH = 100;
const MAX_NAME = 24;

/** A bar for each job that has begun: how long it waited to be taken, then how long its last attempt took or goes on. */
export function drawWaterfall(rows: readonly TraceRow[], beganAt: number, surface: Surface): string {
  const { isTerminal, paint, now, width = WIDTH } = surface;
  const signs = isTerminal ? DRAWN : ASCII;
  const steps = rows.flatMap(({ content }) => (isTimed(content) ? [content] : []));
  if (steps.length === 0) return '';
  const endOf = (step: Timed): number =>
    Math.max(step.startedAt, isFinished(step.state) ? (step.finishedAt ?? now) : now);
  const endAt = Math.max(beganAt + 1, ...steps.map(endOf));
  const names = steps.map((step) => cut(nameOf(step), MAX_NAME));
  const nameWidth = Math.max(...names.map((name) => name.length));
  const scale = Math.max(10, width - nameWidth - 2);
  const columnOf = (at: number): number =>
    Math.round((Math.min(Math.max(at - beganAt, 0), endAt - beganAt) / (endAt - beganAt)) * scale);
  const bars = steps.map((step, index) => {
    const [from, begin] = [columnOf(step.createdAt ?? step.startedAt), columnOf(step.startedAt)];
    // What was too quick for the scale is seen all the same.
    const start = Math.min(begin, scale - 1);
    const end = Math.max(start + 1, columnOf(endOf(step)));
    const waits = paint('faint', signs.waits.repeat(Math.max(0, start - from)));
    const runs = paint(toneOf(step.state, 'state', false), signs.runs.repeat(end - start));
    return `${fill(names[index] ?? '', nameWidth)}  ${' '.repeat(Math.min(from, start))}${waits}${runs}\n`;
  });
  return `${' '.repeat(nameWidth + 2)}${paint('faint', drawAxis(endAt - beganAt, scale, signs.axis))}\n${bars.join('')}`;
}

interface Timed extends WorkflowStep {
  readonly startedAt: number;
}

function isTimed(content: TraceRow['content']): content is Timed {
  return content.kind === 'task' && content.startedAt !== null;
}

/** `0 ──── 1s ──── 2s`: begin, middle and end of the time that is shown. */
function drawAxis(ms: number, width: number, line: string): string {
  const [middle, end] = [formatDuration(ms / 2), formatDuration(ms)];
  const left = Math.floor(width / 2) - 2 - Math.ceil(middle.length / 2);
  const right = width - 2 - left - middle.length - 2 - end.length - 1;
  if (left < 3 || right < 3) return `0 ${line.repeat(Math.max(1, width - end.length - 3))} ${end}`;
  return `0 ${line.repeat(left - 1)} ${middle} ${line.repeat(right)} ${end}`;
}
