import type { Finding, FindingStatus } from '../../engine/core/checkup/finding.ts';
import type { RemovedLeftovers } from '../../engine/core/checkup/leftovers.ts';
import { escapeControl } from '../../engine/core/escape.ts';
import { defineCommand, type Values } from '../command.ts';
import type { Tone } from '../paint.ts';
import type { Surface } from '../presentation.ts';

interface DoctorOptions {
  readonly fix?: boolean;
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check the broker, its queues and the workers for what can harm jobs',
  details: [
    'Looks at the settings of the broker, clocks, versions, queues that nobody serves, tasks that nobody registers, schedule',
    'entries that have stopped, jobs without a lock, and at what is left over; docs/doctor.md has each check.',
    'Nothing is changed without --fix, which removes only what no job can miss, and says what before it asks.',
    'Exit code 1 when a check has failed; warnings and checks that could not look do not count.',
  ].join('\n'),
  options: [{ flags: '--fix', summary: 'remove unique keys without a job, records in no list, surplus events' }],
  examples: [
    { command: 'tq doctor', does: 'look at everything, change nothing' },
    { command: 'tq doctor --broker redis://localhost:6379 --json', does: 'at any BullMQ application, as JSON' },
    { command: 'tq doctor --fix --dry-run', does: 'show what would be removed' },
  ],
  json: ['check', 'status', 'message', 'fix'],
  operation: async (asked) =>
    asked?.options.fix === true
      ? (await import('../../ops/remove-leftovers.ts')).removeLeftovers
      : (await import('../../ops/run-checkup.ts')).runCheckup,
  toInput: ({ timeoutMs }: Values<DoctorOptions>) => ({ timeoutMs }),
  present: ({ findings, removed }) => ({
    json: findings,
    blocks: [{ kind: 'drawn', draw: (surface) => drawFindings(findings, surface) }],
    notes: [...(removed === null ? [] : [describeRemoved(removed)]), summarise(findings)],
    exitCode: findings.some(({ status }) => status === 'failed') ? 1 : 0,
  }),
});

const TONES: Readonly<Record<FindingStatus, Tone>> = {
  ok: 'good',
  warning: 'waiting',
  failed: 'bad',
  skipped: 'faint',
};
const STATUS_WIDTH = 'warning'.length;

/** On a terminal what to do stands below each finding; in a pipe a finding is a line: check, status, message, fix. */
function drawFindings(findings: readonly Finding[], { isTerminal, paint }: Surface): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, status, message, fix }) => {
      if (!isTerminal) return `${[check, status, message, fix ?? ''].map((cell) => escapeControl(cell)).join('\t')}\n`;
      const head = `${paint(TONES[status], status.padEnd(STATUS_WIDTH))}  ${paint('title', check.padEnd(width))}  `;
      const indent = ' '.repeat(STATUS_WIDTH + width + 4);
      return `${head}${escapeControl(message)}\n${fix === null ? '' : `${indent}fix: ${escapeControl(fix)}\n`}`;
    })
    .join('');
}

function summarise(findings: readonly Finding[]): string {
  const count = (status: FindingStatus): number => findings.filter((finding) => finding.status === status).length;
  return `${count('failed')} failed, ${count('warning')} warnings, ${count('skipped')} skipped, ${count('ok')} ok`;
}

function describeRemoved({ keys, orphans, events }: RemovedLeftovers): string {
  return `removed ${keys} unique keys without a job, ${orphans} records of jobs in no list and ${events} events`;
}
