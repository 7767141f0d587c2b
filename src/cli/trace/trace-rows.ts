import type { JobState } from '../../engine/core/state.ts';
import type { WorkflowStep } from '../../engine/core/workflow/workflow-view.ts';

/** One line of the tree: a part of the workflow, or what stands for several that are not shown. */
export interface TraceRow {
  /** For each level above it, whether that one is the last of its siblings; its own is the last entry. Empty for the root. */
  readonly lasts: readonly boolean[];
  readonly content: WorkflowStep | Fold;
}

/** Parts that are left out of a long list. */
export interface Fold {
  readonly kind: 'fold';
  readonly count: number;
  readonly states: ReadonlyMap<JobState, number>;
}

/** Parts of one list that are shown when it is longer. */
const SHOWN = 20;

/** @param all leaves nothing out */
export function listTraceRows(tree: WorkflowStep, all: boolean): TraceRow[] {
  const rows: TraceRow[] = [];
  const add = (content: WorkflowStep | Fold, lasts: readonly boolean[]): void => {
    rows.push({ lasts, content });
    if (content.kind === 'fold') return;
    const parts = foldParts(content, all);
    for (const [index, part] of parts.entries()) add(part, [...lasts, index === parts.length - 1]);
  };
  add(tree, []);
  return rows;
}

/** What went wrong and what goes on is shown before what waits or is over; bodies and callbacks always are. */
export function foldParts({ kind, children }: WorkflowStep, all: boolean): (WorkflowStep | Fold)[] {
  const lengthy = children.filter(isCounted);
  if (all || lengthy.length <= SHOWN) return [...children];
  const ranked = lengthy.map((step, index) => ({ step, index, rank: rankOf(step.state) }));
  ranked.sort((a, b) => a.rank - b.rank || a.index - b.index);
  const shown = new Set(ranked.slice(0, SHOWN).map(({ step }) => step));
  return kind === 'chain' ? foldRuns(children, shown) : foldOnce(children, shown);
}

function isCounted({ role }: WorkflowStep): boolean {
  return role === 'step' || role === 'added';
}

function rankOf(state: JobState): number {
  if (state === 'FAILURE' || state === 'REVOKED') return 0;
  return state === 'STARTED' || state === 'RETRY' ? 1 : 2;
}

/** Members have no order that a reader follows: one line stands for all that are left out. */
function foldOnce(children: readonly WorkflowStep[], shown: ReadonlySet<WorkflowStep>): (WorkflowStep | Fold)[] {
  const counted = children.filter(isCounted);
  const rest = children.filter((step) => !isCounted(step));
  return [...counted.filter((step) => shown.has(step)), toFold(counted.filter((step) => !shown.has(step))), ...rest];
}

/** Steps of a chain stay where they are. */
function foldRuns(children: readonly WorkflowStep[], shown: ReadonlySet<WorkflowStep>): (WorkflowStep | Fold)[] {
  const parts: (WorkflowStep | Fold)[] = [];
  let run: WorkflowStep[] = [];
  const endRun = (): void => {
    if (run.length > 0) parts.push(toFold(run));
    run = [];
  };
  for (const step of children) {
    if (isCounted(step) && !shown.has(step)) {
      run.push(step);
      continue;
    }
    endRun();
    parts.push(step);
  }
  endRun();
  return parts;
}

function toFold(steps: readonly WorkflowStep[]): Fold {
  const states = new Map<JobState, number>();
  for (const { state } of steps) states.set(state, (states.get(state) ?? 0) + 1);
  return { kind: 'fold', count: steps.length, states };
}

/** `… 9,980 more: 9,000 SUCCESS, 980 PENDING` */
export function formatFold({ count, states }: Fold): string {
  const parts = [...states].map(([state, number]) => `${formatCount(number)} ${state}`);
  return `${formatCount(count)} more: ${parts.join(', ')}`;
}

function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
