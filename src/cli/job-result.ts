import type { ExitCode } from '../engine/core/error-catalogue.ts';
import type { JobState } from '../engine/core/state.ts';
import { WORKFLOW_TASK } from '../engine/core/workflow/graph.ts';
import type { JobResult } from '../ops/read-result.ts';
import { type Presentation, sheet } from './presentation.ts';

/** What `--json` shows of a result. */
export const RESULT_FIELDS = [
  ...['id', 'task', 'queue', 'state', 'result', 'error', 'attempts', 'progress'],
  ...['createdAt', 'startedAt', 'finishedAt', 'worker', 'schedule'],
];

/** A job's state and result, as `tq result` and `tq call --wait` show them. */
export function presentResult(job: JobResult): Presentation {
  const { error } = job;
  return {
    json: job,
    blocks: [
      sheet([
        { title: 'id', as: 'text', value: job.id },
        { title: 'task', as: 'text', value: job.task },
        { title: 'queue', as: 'text', value: job.queue },
        { title: 'state', as: 'state', value: job.state },
        { title: 'result', as: 'json', value: job.result },
        { title: 'error', as: 'text', value: error === null ? null : `${error.name}: ${error.message}` },
        { title: 'attempts', as: 'number', value: job.attempts },
        { title: 'progress', as: 'progress', value: job.progress },
        { title: 'created', as: 'instant', value: job.createdAt },
        { title: 'started', as: 'instant', value: job.startedAt },
        { title: 'finished', as: 'instant', value: job.finishedAt },
        { title: 'worker', as: 'text', value: job.worker },
        { title: 'schedule', as: 'text', value: job.schedule?.entry ?? null },
        { title: 'firing of', as: 'instant', value: job.schedule?.dueAt ?? null },
      ]),
    ],
    notes: nextStep(job),
    exitCode: exitCodeOf(job.state),
  };
}

/** The next step, where there is one. */
function nextStep({ id, task, state }: JobResult): string[] {
  if (task === WORKFLOW_TASK && state !== 'SUCCESS') return [`\`tq trace ${id}\` shows the steps of the workflow`];
  switch (exitCodeOf(state)) {
    case 1:
      return [`\`tq jobs show ${id}\` shows its arguments, attempts and stacks`];
    case 3:
      return [
        'no queue and no result store holds a job with this id; results are removed after their expiry, or at once when none is kept',
      ];
    case 4:
      return [`it has not ended; \`tq result ${id} --wait\` waits for it`];
    default:
      return [];
  }
}

/** cli.md: 0 SUCCESS, 1 FAILURE or REVOKED, 3 UNKNOWN, 4 not finished. An ignored job did all that was asked of it. */
export function exitCodeOf(state: JobState): 0 | ExitCode {
  switch (state) {
    case 'SUCCESS':
    case 'IGNORED':
      return 0;
    case 'FAILURE':
    case 'REVOKED':
      return 1;
    case 'UNKNOWN':
      return 3;
    default:
      return 4;
  }
}
