import { escapeControl } from '../../engine/core/escape.ts';
import type { Firing } from '../../engine/core/schedule/firing.ts';
import type { JobExplanation, Reason } from '../../engine/core/why/reason.ts';
import { formatReadable } from '../cell.ts';
import { defineCommand, type Values } from '../command.ts';
import { readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';
import { type Block, type Field, type Surface, sheet } from '../presentation.ts';

export const why = defineCommand({
  name: 'why',
  summary: 'Say why a job does not run, or what happened to it',
  details: [
    'All reasons that hold are given, the one that must go first comes first; docs/why.md has each code and what to do.',
    'Live workers are asked what they run. Those that are silent are waited for, at most --timeout (default 2s).',
    'Exit codes: 0 a reason or the end of the job was found, 3 the id is unknown.',
  ].join('\n'),
  arguments: [{ name: '<id>', summary: 'id of the job', completion: 'ids' }],
  options: [sharedOptions.queue, sharedOptions.results],
  examples: [
    { command: 'tq why 0198f6a2-7c1e-7000-8000-3f2a9c51d7e4', does: 'what it waits for, or how it ended' },
    { command: 'tq why 17 --queue mail --json', does: 'a job that BullMQ numbered, as JSON' },
  ],
  json: ['id', 'task', 'queue', 'state', 'schedule', 'reasons'],
  operation: async () => (await import('../../ops/explain-job.ts')).explainJob,
  toInput: ({ arguments: [id = ''], options, timeoutMs }: Values<{ queue?: string }>) => ({
    id,
    queue: readText(options.queue, '--queue'),
    timeoutMs,
  }),
  present: (explanation) => ({
    json: explanation,
    blocks: [describeJob(explanation), { kind: 'drawn', draw: (surface) => drawReasons(explanation.reasons, surface) }],
    exitCode: explanation.state === 'UNKNOWN' && explanation.task === null ? 3 : 0,
  }),
});

function describeJob({ id, task, queue, state, schedule }: JobExplanation): Block {
  return sheet([
    { title: 'id', as: 'text', value: id },
    { title: 'task', as: 'text', value: task },
    { title: 'queue', as: 'text', value: queue },
    { title: 'state', as: 'state', value: state },
    ...(schedule === null ? [] : describeFiring(schedule)),
  ]);
}

function describeFiring({ entry, dueAt }: Firing): Field[] {
  return [
    { title: 'schedule', as: 'text', value: entry },
    { title: 'firing of', as: 'instant', value: dueAt },
  ];
}

const INDENT = '  ';

/** On a terminal a paragraph a reason, in a pipe a line: code, message, until, next. */
function drawReasons(reasons: readonly Reason[], { isTerminal, paint, now }: Surface): string {
  return reasons
    .map(({ code, message, until, next }) => {
      if (!isTerminal) {
        const cells = [code, message, until === null ? '' : new Date(until).toISOString(), next ?? ''];
        return `${cells.map((cell) => escapeControl(cell)).join('\t')}\n`;
      }
      const lines = [`${paint('title', code)}`, `${INDENT}${escapeControl(message)}`];
      if (until !== null) lines.push(`${INDENT}until  ${formatReadable(until, 'instant', now)}`);
      if (next !== null) lines.push(`${INDENT}next   ${escapeControl(next)}`);
      return `\n${lines.join('\n')}\n`;
    })
    .join('');
}
