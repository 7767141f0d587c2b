import type { StoredError } from '../../engine/core/job.ts';
import { formatShare } from '../../engine/core/progress.ts';
import type { WorkflowStep } from '../../engine/core/workflow/workflow-view.ts';
import type { WorkflowTrace } from '../../ops/trace-workflow.ts';
import { defineCommand, type Values } from '../command.ts';
import { exitCodeOf } from '../job-result.ts';
import { readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';
import { type Block, sheet } from '../presentation.ts';
import { formatMermaid } from '../trace/mermaid.ts';
import { listTraceRows } from '../trace/trace-rows.ts';
import { drawTree } from '../trace/trace-tree.ts';
import { drawWaterfall } from '../trace/waterfall.ts';

interface TraceOptions {
  readonly queue?: string;
  readonly all?: boolean;
  readonly mermaid?: boolean;
}

export const trace = defineCommand({
  name: 'trace',
  summary: 'Show a workflow as a whole: its tree and its timeline',
  details: [
    'The id is that of the workflow or of any of its jobs; a job that belongs to no workflow is shown alone, without the jobs',
    'that it called. Of a long list of parts 20 are shown, what failed first, and the others are counted.',
    'Times are those of the last attempt; a bar begins with the wait for a worker.',
    'Exit codes are those of `tq result`: 0 SUCCESS and IGNORED, 1 FAILURE and REVOKED, 3 UNKNOWN, 4 not finished.',
  ].join('\n'),
  arguments: [{ name: '<id>', summary: 'id of the workflow, or of one of its jobs', completion: 'ids' }],
  options: [
    sharedOptions.queue,
    { flags: '--all', summary: 'show every part of long lists' },
    { flags: '--mermaid', summary: 'print a flowchart in the language of Mermaid' },
  ],
  examples: [
    { command: 'tq trace 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'tree and timeline' },
    { command: 'tq trace 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --json', does: 'the tree as JSON' },
    { command: 'tq trace 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4 --mermaid', does: 'a flowchart for a document' },
  ],
  json: [
    ...['id', 'asked', 'state', 'progress', 'createdAt', 'startedAt', 'finishedAt'],
    ...['error', 'reason', 'tree'],
  ],
  operation: async () => (await import('../../ops/trace-workflow.ts')).traceWorkflow,
  toInput: ({ arguments: [id = ''], options }: Values<TraceOptions>) => ({
    id,
    queue: readText(options.queue, '--queue'),
  }),
  present: (seen, { all = false, mermaid = false }: TraceOptions) => ({
    json: seen,
    blocks: mermaid ? [{ kind: 'verbatim', text: formatMermaid(seen.tree, all) }] : listBlocks(seen, all),
    notes: mermaid ? [] : nextSteps(seen),
    exitCode: exitCodeOf(seen.state),
  }),
});

function listBlocks(
  { id, asked, state, progress, error, reason, tree, ...times }: WorkflowTrace,
  all: boolean,
): Block[] {
  const rows = listTraceRows(tree, all);
  const { done, total } = progress;
  return [
    sheet([
      { title: 'id', as: 'text', value: id },
      { title: 'state', as: 'state', value: state },
      { title: 'steps', as: 'text', value: `${done}/${total}${formatShare(done, total)}` },
      { title: 'error', as: 'text', value: describeError(error, tree) },
      { title: 'reason', as: 'text', value: reason },
      { title: 'created', as: 'instant', value: times.createdAt },
      { title: 'started', as: 'instant', value: times.startedAt },
      { title: 'finished', as: 'instant', value: times.finishedAt },
    ]),
    { kind: 'drawn', draw: (surface) => `\n${drawTree(rows, asked === id ? null : asked, surface)}` },
    {
      kind: 'drawn',
      draw(surface) {
        const bars = drawWaterfall(rows, times.createdAt, surface);
        return bars === '' ? '' : `\n${bars}`;
      },
    },
  ];
}

/** What failed first says more than that the whole cannot go on. */
function describeError(error: StoredError | null, tree: WorkflowStep): string | null {
  if (error === null) return null;
  const cause = error.code === 'MEMBER_FAILED' ? findCause(tree) : undefined;
  if (cause?.error == null) return `${error.name}: ${error.message}`;
  return `${cause.task}: ${cause.error.name}: ${cause.error.message}`;
}

function findCause(step: WorkflowStep): WorkflowStep | undefined {
  if (step.state === 'FAILURE' && step.error !== null && step.error.code !== 'MEMBER_FAILED') return step;
  for (const child of step.children) {
    const found = child.role === 'link' || child.role === 'linkError' ? undefined : findCause(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function nextSteps({ id, state, tree }: WorkflowTrace): string[] {
  if (tree.kind === 'task' && tree.id === id && tree.children.length === 0) return [];
  if (state === 'FAILURE') return [`\`tq jobs retry ${id}\` sends its dead letters back to work`];
  return exitCodeOf(state) === 4 ? [`\`tq control revoke ${id}\` cancels what has not ended`] : [];
}
